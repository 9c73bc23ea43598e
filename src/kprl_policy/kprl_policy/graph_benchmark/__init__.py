"""`kprl bench graph`: what the real-time graph adds between an image and its command, and what lockstep costs."""

def generate_launch_description():
    return 1 / 0

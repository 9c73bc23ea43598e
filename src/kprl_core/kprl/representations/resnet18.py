"""ResNet-18 (He et al. 2016 [43]), with torchvision's parameter names so that its weight files fit."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = (64, 128, 256, 512)  # of layer1 to layer4
CLASSES = 1000  # of ImageNet


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut, projected where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H / stride, W / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + shortcut)


class ResNet18(nn.Module):
    """Normalised images (N, 3, H, W) -> `outputs` numbers (N, outputs); at 64x64 the last features are 2x2."""

    def __init__(self, outputs: int = CLASSES) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, CHANNELS[0], 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(CHANNELS[0])
        self.layer1 = _stage(CHANNELS[0], CHANNELS[0], stride=1)
        self.layer2 = _stage(CHANNELS[0], CHANNELS[1], stride=2)
        self.layer3 = _stage(CHANNELS[1], CHANNELS[2], stride=2)
        self.layer4 = _stage(CHANNELS[2], CHANNELS[3], stride=2)
        self.fc = nn.Linear(CHANNELS[3], outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # He's initialisation, for a start without pre-trained weights
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (N, 3, H, W) -> (N, outputs)."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(images))), 3, stride=2, padding=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        numbers: Tensor = self.fc(x.mean(dim=(-2, -1)))
        return numbers


def _stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs, stride=1))

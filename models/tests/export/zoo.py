"""The architectures: torchvision's zoo with random weights, whole or shrunken, and detectors like YOLO.

Shrunken ones keep every pattern of their architecture with few channels and blocks.
"""

import contextlib
from functools import partial

import torch
from torch import nn
from torchvision import models
from torchvision.models import convnext, efficientnet, mobilenetv3, regnet, swin_transformer

WHOLE = {
    "alexnet": 224, "vgg11_bn": 224, "vgg16": 224, "resnet18": 224, "resnet50": 224, "resnext50_32x4d": 224,
    "densenet121": 224, "mobilenet_v2": 224, "mobilenet_v3_small": 224, "mobilenet_v3_large": 224,
    "efficientnet_b0": 224, "efficientnet_v2_s": 224, "squeezenet1_1": 224, "shufflenet_v2_x0_5": 224,
    "regnet_y_400mf": 224, "regnet_x_400mf": 224, "convnext_tiny": 224, "swin_t": 224, "swin_v2_t": 224,
    "vit_b_16": 224, "vit_b_32": 224, "mnasnet0_5": 224, "googlenet": 224, "inception_v3": 299, "maxvit_t": 224,
}

TIMM = {
    "tf_efficientnet_lite0": 224, "ghostnet_100": 224, "repvgg_a0": 224, "mobilenetv4_conv_small": 224,
    "cspdarknet53": 256, "resnetblur50": 224, "hrnet_w18_small": 224, "mobilevit_xxs": 256,
    "eca_nfnet_l0": 224, "deit_tiny_patch16_224": 224, "efficientformer_l1": 224, "edgenext_xx_small": 256,
    "fastvit_t8": 256, "mixer_b16_224": 224, "poolformer_s12": 224, "resnest14d": 224, "levit_128s": 224,
}


def whole(name: str) -> nn.Module:
    """A network of torchvision with random weights."""
    more = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return getattr(models, name)(weights=None, **more)


def timm_network(name: str) -> nn.Module:
    """A network of timm with random weights, in the form that exports."""
    import timm

    return timm.create_model(name, pretrained=False, exportable=True)


@contextlib.contextmanager
def divided(by: int):
    """While it lasts, layers have so many times fewer channels than they are asked for."""

    def fewer(channels):
        return channels if channels in (3, 10) else max(1, round(channels / by))

    def convolution(original, layer, inputs, outputs, *args, groups=1, **more):
        depthwise = groups == inputs
        inputs, outputs = fewer(inputs), fewer(outputs)
        groups = inputs if depthwise else groups
        while inputs % groups or outputs % groups:
            groups //= 2
        original(layer, inputs, outputs, *args, groups=groups, **more)

    replaced = {
        nn.Conv2d: lambda original, layer, *args, **more: convolution(original, layer, *args, **more),
        nn.BatchNorm2d: lambda original, layer, features, *args, **more: original(layer, fewer(features), *args, **more),
        nn.Linear: lambda original, layer, inputs, outputs, *args, **more: original(
            layer, fewer(inputs), fewer(outputs), *args, **more),
    }
    originals = {kind: kind.__init__ for kind in replaced}
    try:
        for kind, replacement in replaced.items():
            kind.__init__ = partial_method(replacement, originals[kind])
        yield
    finally:
        for kind, original in originals.items():
            kind.__init__ = original


def partial_method(replacement, original):
    """A method that gets the original as well."""
    return lambda layer, *args, **more: replacement(original, layer, *args, **more)


def by_division(name: str, by: int, **more):
    """A network of torchvision with so many times fewer channels."""
    with divided(by):
        return getattr(models, name)(weights=None, num_classes=10, **more)




def small_resnet(block, **more):
    with divided(32):
        return models.ResNet(block, [1, 1, 1, 1], num_classes=10, **more)


def small_mobilenet_v2():
    with divided(16):
        return models.MobileNetV2(
            num_classes=10, inverted_residual_setting=[[1, 16, 1, 1], [2, 32, 2, 2], [3, 64, 1, 2]])


def small_mobilenet_v3():
    config = partial(mobilenetv3.InvertedResidualConfig, width_mult=1.0)
    return models.MobileNetV3(
        [config(8, 3, 8, 8, True, "RE", 2, 1), config(8, 3, 16, 8, False, "RE", 1, 1), config(8, 5, 24, 16, True, "HS", 2, 2)],
        last_channel=32, num_classes=10)


def small_efficientnet():
    config = partial(efficientnet.MBConvConfig)
    return models.EfficientNet(
        [config(1, 3, 1, 32, 16, 1, width_mult=0.25), config(4, 5, 2, 16, 24, 2, width_mult=0.5)],
        dropout=0.2, num_classes=10, last_channel=32)


def small_efficientnet_v2():
    return models.EfficientNet(
        [efficientnet.FusedMBConvConfig(1, 3, 1, 8, 8, 1), efficientnet.FusedMBConvConfig(2, 3, 2, 8, 8, 1),
         efficientnet.MBConvConfig(2, 3, 2, 8, 16, 1)],
        dropout=0.2, num_classes=10, last_channel=32, norm_layer=partial(nn.BatchNorm2d, eps=1e-3))


def small_swin(block, merging):
    network = models.SwinTransformer(
        patch_size=[4, 4], embed_dim=8, depths=[2, 1], num_heads=[2, 2], window_size=[3, 3], num_classes=10,
        block=block, downsample_layer=merging)
    for module in network.modules():
        if hasattr(module, "cpb_mlp"):  # 512 wide whatever the rest is
            module.cpb_mlp = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2, bias=False))
    return network


# Only the new exporter (True) or the old one (False): the old one refuses a pooling that does not divide its
# input, and both write the same of the others, which are large.
EXPORTERS = {"alexnet": (True,), "vgg11_bn": (True,), "googlenet": (True,), "inception_v3": (False,), "mnasnet": (False,)}

SHRUNKEN = {
    "alexnet": (64, lambda: by_division("alexnet", 128)),
    "vgg11_bn": (32, lambda: by_division("vgg11_bn", 128)),
    "resnet18": (32, lambda: small_resnet(models.resnet.BasicBlock)),
    "resnet50": (32, lambda: small_resnet(models.resnet.Bottleneck)),
    "resnext50": (32, lambda: small_resnet(models.resnet.Bottleneck, groups=32, width_per_group=4)),
    "densenet": (32, lambda: models.DenseNet(growth_rate=4, block_config=(2, 2), num_init_features=8, bn_size=2, num_classes=10)),
    "mobilenet_v2": (32, small_mobilenet_v2),
    "mobilenet_v3": (32, small_mobilenet_v3),
    "efficientnet": (32, small_efficientnet),
    "efficientnet_v2": (32, small_efficientnet_v2),
    "squeezenet": (64, lambda: by_division("squeezenet1_1", 16)),
    "shufflenet_v2": (32, lambda: models.ShuffleNetV2([1, 2, 1], [8, 16, 24, 32, 48], num_classes=10)),
    "regnet_y": (32, lambda: models.RegNet(
        regnet.BlockParams.from_init_params(depth=3, w_0=8, w_a=8.0, w_m=2.0, group_width=8, se_ratio=0.25),
        num_classes=10, stem_width=8)),
    "convnext": (32, lambda: models.ConvNeXt(
        [convnext.CNBlockConfig(8, 16, 1), convnext.CNBlockConfig(16, None, 1)], num_classes=10)),
    "swin": (32, lambda: small_swin(swin_transformer.SwinTransformerBlock, swin_transformer.PatchMerging)),
    "swin_v2": (32, lambda: small_swin(swin_transformer.SwinTransformerBlockV2, swin_transformer.PatchMergingV2)),
    "vit": (32, lambda: models.VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=10)),
    "mnasnet": (64, lambda: by_division("mnasnet0_5", 24)),
    "googlenet": (64, lambda: by_division("googlenet", 16, init_weights=False, aux_logits=False)),
    "inception_v3": (96, lambda: by_division("inception_v3", 32, init_weights=False, aux_logits=False)),
    "maxvit": (32, lambda: models.MaxVit(
        input_size=(32, 32), stem_channels=8, partition_size=4, block_channels=[8, 8], block_layers=[1, 1], head_dim=4,
        stochastic_depth_prob=0.0, num_classes=10)),
    "yolo_v5": (64, lambda: YoloV5(2)),
    "yolo_v8": (64, lambda: YoloV8(2)),
}


class ConvBlock(nn.Module):
    """Convolution, normalisation, SiLU."""

    def __init__(self, inputs, outputs, kernel=1, stride=1, groups=1):
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.normalisation = nn.BatchNorm2d(outputs)
        self.activation = nn.SiLU()

    def forward(self, x):
        return self.activation(self.normalisation(self.convolution(x)))


class Bottleneck(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first, self.second = ConvBlock(channels, channels, 3), ConvBlock(channels, channels, 3)

    def forward(self, x):
        return x + self.second(self.first(x))


class SpatialPyramid(nn.Module):
    """SPPF: three poolings of the same window, one on the other."""

    def __init__(self, channels):
        super().__init__()
        self.first, self.last = ConvBlock(channels, channels // 2), ConvBlock(channels * 2, channels)
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x):
        parts = [self.first(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        return self.last(torch.cat(parts, 1))


class CrossStage(nn.Module):
    """C3 of YOLOv5: two ways joined."""

    def __init__(self, inputs, outputs):
        super().__init__()
        hidden = outputs // 2
        self.left, self.right = ConvBlock(inputs, hidden), ConvBlock(inputs, hidden)
        self.block, self.last = Bottleneck(hidden), ConvBlock(hidden * 2, outputs)

    def forward(self, x):
        return self.last(torch.cat([self.block(self.left(x)), self.right(x)], 1))


class SplitStage(nn.Module):
    """C2f of YOLOv8: halves, each block on the half before."""

    def __init__(self, inputs, outputs):
        super().__init__()
        hidden = outputs // 2
        self.first, self.last = ConvBlock(inputs, outputs), ConvBlock(hidden * 4, outputs)
        self.blocks = nn.ModuleList([Bottleneck(hidden), Bottleneck(hidden)])

    def forward(self, x):
        parts = list(self.first(x).chunk(2, 1))
        for block in self.blocks:
            parts.append(block(parts[-1]))
        return self.last(torch.cat(parts, 1))


class Neck(nn.Module):
    """Three scales of a backbone, each with what the coarser ones saw."""

    def __init__(self, stage, widths):
        super().__init__()
        fine, middle, coarse = widths
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.middle, self.fine = stage(coarse + middle, middle), stage(middle + fine, fine)

    def forward(self, fine, middle, coarse):
        middle = self.middle(torch.cat([self.up(coarse), middle], 1))
        return self.fine(torch.cat([self.up(middle), fine], 1)), middle, coarse


class YoloV5(nn.Module):
    """Focus (four slices), cross stages, neck; boxes decoded with grid and anchors."""

    def __init__(self, width, classes=3):
        super().__init__()
        w = width
        self.stem = ConvBlock(12, w, 3)
        self.stages = nn.ModuleList([
            nn.Sequential(ConvBlock(w * 2**i, w * 2 ** (i + 1), 3, 2), CrossStage(w * 2 ** (i + 1), w * 2 ** (i + 1)))
            for i in range(3)])
        self.pyramid = SpatialPyramid(w * 8)
        self.neck = Neck(CrossStage, [w * 2, w * 4, w * 8])
        self.numbers = classes + 5
        self.heads = nn.ModuleList([nn.Conv2d(w * 2**i, 3 * self.numbers, 1) for i in (1, 2, 3)])
        self.register_buffer("anchors", torch.rand(3, 1, 3, 1, 1, 2) * 3 + 1)

    def forward(self, x):
        x = self.stem(torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1))
        fine = self.stages[0](x)
        middle = self.stages[1](fine)
        scales = self.neck(fine, middle, self.pyramid(self.stages[2](middle)))
        found = []
        for head, scale, anchors in zip(self.heads, scales, self.anchors):
            y = head(scale)
            batch, _, rows, columns = y.shape
            y = y.view(batch, 3, self.numbers, rows, columns).permute(0, 1, 3, 4, 2).contiguous().sigmoid()
            place, size, rest = y.split((2, 2, self.numbers - 4), 4)
            down, right = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
            grid = torch.stack((right, down), 2).view(1, 1, rows, columns, 2).float() - 0.5
            y = torch.cat(((place * 2 + grid) * 8, (size * 2) ** 2 * anchors, rest), 4)
            found.append(y.view(batch, -1, self.numbers))
        return torch.cat(found, 1)


class YoloV8(nn.Module):
    """Split stages, neck, boxes as expectations over distances (DFL)."""

    def __init__(self, width, classes=3, distances=8):
        super().__init__()
        w = width
        self.stem = ConvBlock(3, w, 3, 2)
        self.stages = nn.ModuleList([
            nn.Sequential(ConvBlock(w * 2**i, w * 2 ** (i + 1), 3, 2), SplitStage(w * 2 ** (i + 1), w * 2 ** (i + 1)))
            for i in range(3)])
        self.pyramid = SpatialPyramid(w * 8)
        self.neck = Neck(SplitStage, [w * 2, w * 4, w * 8])
        self.distances, self.classes = distances, classes
        self.heads = nn.ModuleList([nn.Conv2d(w * 2**i, 4 * distances + classes, 1) for i in (1, 2, 3)])
        self.expectation = nn.Conv2d(distances, 1, 1, bias=False)

    def forward(self, x):
        fine = self.stages[0](self.stem(x))
        middle = self.stages[1](fine)
        scales = self.neck(fine, middle, self.pyramid(self.stages[2](middle)))
        flat = torch.cat([head(s).flatten(2) for head, s in zip(self.heads, scales)], 2)
        box, scores = flat.split((4 * self.distances, self.classes), 1)
        batch, _, count = box.shape
        box = box.view(batch, 4, self.distances, count).transpose(2, 1).softmax(1)
        box = self.expectation(box).view(batch, 4, count)
        before, after = box.chunk(2, 1)
        return torch.cat(((before + after) / 2, after - before, scores.sigmoid()), 1)

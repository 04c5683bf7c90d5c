"""Small realistic networks in plain torch, for the tests: each name makes a module and the shape of an input that fits.

The maps are small enough to poke every position. Several inputs: a tuple of shapes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Shape = tuple[int, ...]
Made = tuple[nn.Module, Shape | tuple[Shape, ...]]

ARCHITECTURES: dict[str, Callable[[], Made]] = {}
# Networks whose course depends on values, so that they cannot be followed without data.
VALUE_DEPENDENT = {"early_exit", "argmax_crop"}
# Networks with several outputs, or with one that has no space left.
SEVERAL_OUTPUTS = {"dict_heads", "tuple_heads", "fpn"}
NO_SPACE_LEFT = {"flatten_linear", "global_average_classifier", "early_exit", "value_free_branching"}


def register(*shapes: Shape) -> Callable[[Callable[[], nn.Module]], Callable[[], nn.Module]]:
    """Enter a class or a function that makes a module under its name in snake case."""

    def enter(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        name = "".join(f"_{c.lower()}" if c.isupper() else c for c in make.__name__).lstrip("_")
        assert name not in ARCHITECTURES
        ARCHITECTURES[name] = lambda: (make(), shapes[0] if len(shapes) == 1 else shapes)
        return make

    return enter


def build(name: str, seed: int = 0) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """The network in eval mode, with random weights and inputs that do not change from call to call."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module, shape = ARCHITECTURES[name]()
        shapes = shape if isinstance(shape[0], tuple) else (shape,)
        return module.eval(), tuple(torch.randn(s) for s in shapes)


def tensors_of(output: object) -> list[Tensor]:
    """The tensors in a tensor, tuple, list or dict."""
    if isinstance(output, Tensor):
        return [output]
    parts = output.values() if isinstance(output, dict) else output
    return [t for part in parts for t in tensors_of(part)]


def cbr(inputs: int, outputs: int, k: int = 3, s: int = 1, d: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, k, s, padding=d * (k // 2), dilation=d, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())


# --- residual, inception, dense -------------------------------------------------------------------------------------


@register((1, 2, 15, 15))
class ResidualStridedShortcut(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = cbr(2, 4)
        self.conv1, self.bn1 = nn.Conv2d(4, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6)
        self.conv2, self.bn2 = nn.Conv2d(6, 6, 3, 1, 1, bias=False), nn.BatchNorm2d(6)
        self.downsample = nn.Sequential(nn.Conv2d(4, 6, 1, 2, bias=False), nn.BatchNorm2d(6))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.stem(x)
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += self.downsample(x)
        return self.relu(y)


class Bottleneck(nn.Module):
    def __init__(self, inputs, inner, stride=1):
        super().__init__()
        self.a, self.b, self.c = cbr(inputs, inner, 1), cbr(inner, inner, 3, stride), nn.Conv2d(inner, 4 * inner, 1)
        self.shortcut = nn.Conv2d(inputs, 4 * inner, 1, stride) if stride > 1 or inputs != 4 * inner else nn.Identity()

    def forward(self, x):
        return F.relu(self.c(self.b(self.a(x))) + self.shortcut(x))


@register((1, 3, 16, 16))
def bottlenecks():
    return nn.Sequential(
        cbr(3, 4, 7, 2), nn.MaxPool2d(3, 2, 1), Bottleneck(4, 2), Bottleneck(8, 2), Bottleneck(8, 3, 2)
    )


@register((1, 2, 13, 13))
class MisalignedShortcut(nn.Module):
    """A bug that people make: the shortcut pools, the main path has an even kernel."""

    def __init__(self):
        super().__init__()
        self.main, self.side = nn.Conv2d(2, 3, 4, 2, 1), nn.Conv2d(2, 3, 1, 2)

    def forward(self, x):
        y, z = self.main(x), self.side(x)
        return y + z[..., : y.shape[2], : y.shape[3]]


@register((1, 2, 14, 14))
class Inception(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = cbr(2, 4, 3, 2)
        self.b1 = cbr(4, 3, 1)
        self.b3 = nn.Sequential(cbr(4, 2, 1), cbr(2, 3))
        self.b5 = nn.Sequential(cbr(4, 2, 1), cbr(2, 3, 5))
        self.b7 = nn.Sequential(nn.Conv2d(4, 2, (1, 7), padding=(0, 3)), nn.Conv2d(2, 3, (7, 1), padding=(3, 0)))
        self.pool = nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), nn.Conv2d(4, 3, 1))

    def forward(self, x):
        x = self.stem(x)
        return torch.cat([self.b1(x), self.b3(x), self.b5(x), self.b7(x), self.pool(x)], 1)


@register((1, 2, 12, 12))
class DenseBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(2 + 2 * i), nn.ReLU(), nn.Conv2d(2 + 2 * i, 2, 3, padding=1)) for i in range(4)
        )
        self.transition = nn.Sequential(nn.Conv2d(10, 4, 1), nn.AvgPool2d(2))

    def forward(self, x):
        features = [x]
        for layer in self.layers:
            features.append(layer(torch.cat(features, 1)))
        return self.transition(torch.cat(features, 1))


# --- encoder and decoder --------------------------------------------------------------------------------------------


class SmallUNet(nn.Module):
    def __init__(self, up):
        super().__init__()
        self.d0, self.d1, self.d2 = cbr(1, 3), cbr(3, 4), cbr(4, 5)
        if up == "transposed":
            self.u1, self.u0 = nn.ConvTranspose2d(5, 4, 2, 2), nn.ConvTranspose2d(4, 3, 2, 2)
        else:
            align = {} if up == "nearest" else {"align_corners": False}
            self.u1 = nn.Sequential(nn.Upsample(scale_factor=2, mode=up, **align), nn.Conv2d(5, 4, 1))
            self.u0 = nn.Sequential(nn.Upsample(scale_factor=2, mode=up, **align), nn.Conv2d(4, 3, 1))
        self.c1, self.c0, self.head = cbr(8, 4), cbr(6, 3), nn.Conv2d(3, 2, 1)

    def forward(self, x):
        a = self.d0(x)
        b = self.d1(F.max_pool2d(a, 2))
        c = self.d2(F.max_pool2d(b, 2))
        b = self.c1(torch.cat([b, self.u1(c)], 1))
        return self.head(self.c0(torch.cat([a, self.u0(b)], 1)))


@register((1, 1, 16, 16))
def unet_transposed():
    return SmallUNet("transposed")


@register((1, 1, 16, 16))
def unet_nearest():
    return SmallUNet("nearest")


@register((1, 1, 16, 16))
def unet_bilinear():
    return SmallUNet("bilinear")


@register((1, 1, 20, 20))
class UNetValidCropped(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.up = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 4, 3), nn.ConvTranspose2d(4, 2, 2, 2)
        self.out = nn.Conv2d(4, 1, 3)

    def forward(self, x):
        a = F.relu(self.a(x))
        y = self.up(F.relu(self.b(F.max_pool2d(a, 2))))
        cut = (a.shape[2] - y.shape[2]) // 2
        return self.out(torch.cat([a[:, :, cut:-cut, cut:-cut], y], 1))


@register((1, 2, 16, 16))
class Fpn(nn.Module):
    def __init__(self):
        super().__init__()
        self.c2, self.c3, self.c4 = cbr(2, 3, 3, 2), cbr(3, 4, 3, 2), cbr(4, 5, 3, 2)
        self.lateral = nn.ModuleList(nn.Conv2d(n, 3, 1) for n in (3, 4, 5))
        self.smooth = nn.ModuleList(nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))

    def forward(self, x):
        c2 = self.c2(x)
        c3 = self.c3(c2)
        c4 = self.c4(c3)
        p4 = self.lateral[2](c4)
        p3 = self.lateral[1](c3) + F.interpolate(p4, size=c3.shape[-2:], mode="nearest")
        p2 = self.lateral[0](c2) + F.interpolate(p3, size=c2.shape[-2:], mode="nearest")
        return [s(p) for s, p in zip(self.smooth, (p2, p3, p4), strict=True)]


@register((1, 2, 16, 16))
class HighResolutionExchange(nn.Module):
    def __init__(self):
        super().__init__()
        self.high, self.low = cbr(2, 3), cbr(2, 4, 3, 2)
        self.down, self.up = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 3, 1)
        self.high2, self.low2, self.fuse = cbr(3, 3), cbr(4, 4), nn.Conv2d(7, 2, 1)

    def forward(self, x):
        h, low = self.high(x), self.low(x)
        h, low = (
            F.relu(h + F.interpolate(self.up(low), scale_factor=2, mode="bilinear", align_corners=True)),
            F.relu(low + self.down(h)),
        )
        h, low = self.high2(h), self.low2(low)
        return self.fuse(torch.cat([h, F.interpolate(low, size=h.shape[2:], mode="bilinear")], 1))


@register((1, 1, 16, 16))
class PoolAndUnpool(nn.Module):
    """SegNet: maxima go back to where they came from."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
        self.pool, self.unpool = nn.MaxPool2d(2, 2, return_indices=True), nn.MaxUnpool2d(2, 2)

    def forward(self, x):
        y, indices = self.pool(F.relu(self.a(x)))
        return self.b(self.unpool(y, indices))


@register((1, 3, 4, 4))
def generator():
    return nn.Sequential(
        *(nn.ConvTranspose2d(3, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.ReLU()),
        *(nn.ConvTranspose2d(4, 3, 3, 2, 1, output_padding=1), nn.ReLU()),
        *(nn.ConvTranspose2d(3, 2, 3, 1, 2, dilation=2), nn.Tanh()),
    )


@register((1, 1, 32, 32))
def patch_discriminator():
    return nn.Sequential(
        *(nn.Conv2d(1, 2, 4, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(2, 3, 4, 2, 1), nn.BatchNorm2d(3), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(3, 3, 4, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(3, 1, 4, 1, 1)),
    )


@register((1, 1, 12, 12))
class AutoencoderFlipAverage(nn.Module):
    """Averaged with its mirror image, as people do when they test."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 2, 3, 2, 1), nn.ReLU(), nn.ConvTranspose2d(2, 1, 4, 2, 1))

    def forward(self, x):
        return (self.net(x) + self.net(x.flip(-1)).flip(-1)) / 2


# --- context and gates ----------------------------------------------------------------------------------------------


@register((1, 2, 24, 24))
class Aspp(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList([cbr(2, 3, 1), cbr(2, 3, d=2), cbr(2, 3, d=4), cbr(2, 3, d=6)])
        self.pooled, self.project = nn.Conv2d(2, 3, 1), cbr(15, 4, 1)

    def forward(self, x):
        whole = F.relu(self.pooled(F.adaptive_avg_pool2d(x, 1)))
        whole = F.interpolate(whole, size=x.shape[2:], mode="bilinear", align_corners=False)
        return self.project(torch.cat([conv(x) for conv in self.convs] + [whole], 1))


@register((1, 1, 32, 32))
def dilated_gridding():
    """Always the same dilation: the window is full of holes."""
    return nn.Sequential(*(m for n in (1, 2, 2) for m in (nn.Conv2d(n, 2, 3, padding=2, dilation=2), nn.ReLU())))


@register((1, 2, 12, 12))
class SqueezeExcite(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc1, self.fc2 = cbr(2, 4), nn.Linear(4, 2), nn.Linear(2, 4)

    def forward(self, x):
        y = self.conv(x)
        gate = torch.sigmoid(self.fc2(F.relu(self.fc1(y.mean((2, 3))))))
        return y * gate[:, :, None, None]


class MBConvBlock(nn.Module):
    def __init__(self, inputs, outputs, k, stride):
        super().__init__()
        inner = 3 * inputs
        self.expand = nn.Sequential(nn.Conv2d(inputs, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.SiLU())
        self.depthwise = nn.Sequential(
            nn.Conv2d(inner, inner, k, stride, k // 2, groups=inner, bias=False), nn.BatchNorm2d(inner), nn.SiLU()
        )
        self.gate = nn.Sequential(
            *(nn.AdaptiveAvgPool2d(1), nn.Conv2d(inner, 2, 1), nn.SiLU(), nn.Conv2d(2, inner, 1), nn.Sigmoid())
        )
        self.project = nn.Sequential(nn.Conv2d(inner, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.depthwise(self.expand(x))
        y = self.project(y * self.gate(y))
        return x + y if self.skip else y


@register((1, 3, 16, 16))
def mbconv():
    return nn.Sequential(cbr(3, 4, 3, 2), MBConvBlock(4, 4, 3, 1), MBConvBlock(4, 5, 5, 2))


@register((1, 2, 10, 10))
class Cbam(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.mlp = cbr(2, 4), nn.Sequential(nn.Conv2d(4, 2, 1), nn.ReLU(), nn.Conv2d(2, 4, 1))
        self.spatial = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x):
        x = self.conv(x)
        x = x * torch.sigmoid(self.mlp(F.adaptive_avg_pool2d(x, 1)) + self.mlp(F.adaptive_max_pool2d(x, 1)))
        seen = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.spatial(seen))


@register((1, 2, 8, 8))
class NonLocal(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Conv2d(2, 2, 1) for _ in range(4))

    def forward(self, x):
        b, c, h, w = x.shape
        q, k, v = (f(x).flatten(2) for f in (self.q, self.k, self.v))  # each (B, C, H * W)
        scores = torch.softmax(torch.einsum("bci,bcj->bij", q, k), -1)
        y = torch.einsum("bij,bcj->bci", scores, v).reshape(b, c, h, w)
        return x + self.out(y)


@register((1, 2, 9, 9))
class GlobalContext(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.score, self.transform = nn.Conv2d(2, 3, 3, 2, 1), nn.Conv2d(3, 1, 1), nn.Conv2d(3, 3, 1)

    def forward(self, x):
        x = self.conv(x)
        weights = self.score(x).flatten(2).softmax(-1)  # (B, 1, N)
        context = torch.bmm(x.flatten(2), weights.transpose(1, 2))  # (B, C, 1)
        return x + self.transform(context.unsqueeze(-1))


@register((1, 2, 8, 8))
class AxialMeans(nn.Module):
    """Coordinate attention: one gate reads the row, the other the column."""

    def __init__(self):
        super().__init__()
        self.row, self.column = nn.Conv2d(2, 2, 1), nn.Conv2d(2, 2, 1)

    def forward(self, x):
        rows, columns = x.mean(3, keepdim=True), x.mean(2, keepdim=True)
        return x * torch.sigmoid(self.row(rows)) + torch.sigmoid(self.column(columns)).expand_as(x)


@register((1, 4, 10, 10))
def group_norm_net():
    return nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.ReLU(), nn.Conv2d(4, 4, 3, 2, 1))


@register((1, 2, 10, 10))
def instance_norm_net():
    return nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(2, 3, 3), nn.InstanceNorm2d(3, affine=True), nn.ReLU())


# --- attention ------------------------------------------------------------------------------------------------------


@register((1, 3, 12, 12))
class ConvNeXtBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.dwconv, self.norm = nn.Conv2d(3, 3, 7, padding=3, groups=3), nn.LayerNorm(3)
        self.pw1, self.pw2 = nn.Linear(3, 12), nn.Linear(12, 3)
        self.gamma = nn.Parameter(torch.full((3,), 0.1))

    def forward(self, x):
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.gamma * self.pw2(F.gelu(self.pw1(y)))
        return x + y.permute(0, 3, 1, 2)


class WindowBlock(nn.Module):
    def __init__(self, channels, window, shift, size):
        super().__init__()
        self.window, self.shift, self.norm = window, shift, nn.LayerNorm(channels)
        self.qkv, self.proj = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)
        region = torch.zeros(size, size)
        cuts = (slice(0, -window), slice(-window, -shift), slice(-shift, None)) if shift else (slice(None),)
        for i, (r, c) in enumerate((r, c) for r in cuts for c in cuts):
            region[r, c] = i
        labels = self.split(region[None, :, :, None]).squeeze(-1)  # (windows, tokens)
        apart = labels[:, None, :] != labels[:, :, None]
        self.register_buffer("mask", torch.zeros(apart.shape).masked_fill(apart, -100.0))

    def split(self, x):
        b, h, w, c = x.shape
        m = self.window
        return x.view(b, h // m, m, w // m, m, c).transpose(2, 3).reshape(-1, m * m, c)

    def join(self, x, h, w):
        m = self.window
        return x.view(-1, h // m, w // m, m, m, x.shape[-1]).transpose(2, 3).reshape(-1, h, w, x.shape[-1])

    def forward(self, x):
        h, w = x.shape[1:3]
        y = torch.roll(self.norm(x), (-self.shift, -self.shift), (1, 2)) if self.shift else self.norm(x)
        y = self.split(y)
        q, k, v = self.qkv(y).chunk(3, -1)
        scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1]) + self.mask.repeat(x.shape[0], 1, 1)
        y = self.join(self.proj(scores.softmax(-1) @ v), h, w)
        return x + (torch.roll(y, (self.shift, self.shift), (1, 2)) if self.shift else y)


@register((1, 1, 16, 16))
class SwinShifted(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(1, 4, 2, 2)
        self.blocks = nn.ModuleList([WindowBlock(4, 4, 0, 8), WindowBlock(4, 4, 2, 8)])
        self.merge = nn.Linear(16, 4)

    def forward(self, x):
        x = self.embed(x).permute(0, 2, 3, 1)
        for block in self.blocks:
            x = block(x)
        parts = [x[:, r::2, c::2] for c in (0, 1) for r in (0, 1)]
        return self.merge(torch.cat(parts, -1)).permute(0, 3, 1, 2)


@register((1, 1, 16, 16))
class SwinUnshifted(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.block = nn.Conv2d(1, 4, 2, 2), WindowBlock(4, 4, 0, 8)

    def forward(self, x):
        return self.block(self.embed(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


@register((1, 3, 16, 16))
class VitConvPatches(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 8, 4, 4)
        self.cls, self.pos = nn.Parameter(torch.randn(1, 1, 8)), nn.Parameter(torch.randn(1, 17, 8))
        self.norm, self.attn = nn.LayerNorm(8), nn.MultiheadAttention(8, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.pos
        y = self.norm(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return (x + self.mlp(x))[:, 1:].transpose(1, 2).reshape(len(x), 8, 4, 4)


@register((1, 2, 12, 12))
class VitUnfoldPatches(nn.Module):
    """Patches cut by unfold and put back by fold, tokens mixed by a linear layer in between."""

    def __init__(self):
        super().__init__()
        self.mix, self.tokens = nn.Linear(32, 32), nn.Linear(9, 9)

    def forward(self, x):
        x = F.unfold(x, 4, stride=4)  # (B, C * 16, N)
        x = self.mix(x.transpose(1, 2))  # (B, N, C * 16)
        x = x + self.tokens(x.transpose(1, 2)).transpose(1, 2)
        return F.fold(x.transpose(1, 2), (12, 12), 4, stride=4)


@register((1, 2, 12, 12))
class PatchesByTensorUnfold(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2 * 9, 4)

    def forward(self, x):
        x = x.unfold(2, 3, 3).unfold(3, 3, 3)  # (B, C, h, w, 3, 3)
        return self.linear(x.permute(0, 2, 3, 1, 4, 5).flatten(3)).permute(0, 3, 1, 2)


@register((1, 4, 12))
class CausalAttention1d(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Conv1d(4, 12, 1), nn.Conv1d(4, 4, 1)

    def forward(self, x):
        q, k, v = (t.transpose(1, 2).unsqueeze(1) for t in self.qkv(x).chunk(3, 1))  # (B, 1, T, C)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return x + self.out(y.squeeze(1).transpose(1, 2))


@register((1, 2, 9, 9))
def transformer_encoder_after_conv():
    class Encode(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 8, 3, 2, 1)
            self.encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True)

        def forward(self, x):
            y = self.conv(x)
            return self.encoder(y.flatten(2).mT).mT.reshape(y.shape)

    return Encode()


@register((1, 3, 10, 10))
class Involution(nn.Module):
    """Kernels made from the features themselves, applied to unfolded neighborhoods."""

    def __init__(self):
        super().__init__()
        self.kernel = nn.Conv2d(3, 9, 1)

    def forward(self, x):
        b, c, h, w = x.shape
        weights = self.kernel(x).view(b, 1, 9, h, w)
        patches = F.unfold(x, 3, padding=1).view(b, c, 9, h, w)
        return (weights * patches).sum(2)


@register((1, 2, 12, 12))
class OverlappingFold(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Conv1d(18, 18, 1)

    def forward(self, x):
        patches = F.unfold(x, 3, stride=2, padding=1)
        return F.fold(self.linear(patches), (12, 12), 3, stride=2, padding=1)


# --- sequences ------------------------------------------------------------------------------------------------------


@register((1, 2, 32))
class TcnPadLeft(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv1d(2, 2, 3, dilation=d) for d in (1, 2, 4))

    def forward(self, x):
        for conv in self.convs:
            x = x + F.relu(conv(F.pad(x, (2 * conv.dilation[0], 0))))
        return x


@register((1, 1, 32))
class TcnChomp(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv1d(1 if d == 1 else 2, 2, 3, padding=2 * d, dilation=d) for d in (1, 2, 4))

    def forward(self, x):
        for conv in self.convs:
            x = torch.relu(conv(x)[:, :, : -conv.padding[0]].contiguous())
        return x


@register((1, 1, 40))
class WaveNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Conv1d(1, 3, 1)
        self.gated = nn.ModuleList(nn.Conv1d(3, 6, 2, dilation=2**i) for i in range(4))
        self.skip = nn.ModuleList(nn.Conv1d(3, 2, 1) for _ in range(4))
        self.residual = nn.ModuleList(nn.Conv1d(3, 3, 1) for _ in range(4))

    def forward(self, x):
        x, total = self.embed(x), 0
        for gated, skip, residual in zip(self.gated, self.skip, self.residual, strict=True):
            a, b = gated(F.pad(x, (gated.dilation[0], 0))).chunk(2, 1)
            y = a.tanh() * b.sigmoid()
            total = total + skip(y)
            x = x + residual(y)
        return F.relu(total)


@register((1, 1, 30))
def audio_encoder():
    return nn.Sequential(nn.Conv1d(1, 2, 5, 3), nn.GELU(), nn.Conv1d(2, 3, 3, 2), nn.GELU(), nn.AvgPool1d(2, 1))


@register((1, 1, 8, 16))
class Crnn(nn.Module):
    """Convolutions, then an LSTM from left to right over the columns."""

    def __init__(self):
        super().__init__()
        self.conv, self.lstm = nn.Sequential(cbr(1, 3), nn.MaxPool2d(2)), nn.LSTM(12, 5, batch_first=True)

    def forward(self, x):
        x = self.conv(x)  # (B, 3, 4, 8)
        x, _ = self.lstm(x.permute(0, 3, 1, 2).flatten(2))  # (B, 8, 5)
        return x.transpose(1, 2).unsqueeze(2)


@register((1, 2, 12))
class BidirectionalGru(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, 3, bidirectional=True)

    def forward(self, x):
        return self.gru(x.permute(2, 0, 1))[0].permute(1, 2, 0)


@register((1, 3, 1, 8, 8))
class ConvGru(nn.Module):
    """Frames (B, T, C, H, W), one step at a time."""

    def __init__(self):
        super().__init__()
        self.gates, self.new = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 2, 3, padding=1)

    def forward(self, x):
        h = x.new_zeros(x.shape[0], 2, *x.shape[3:])
        for frame in x.unbind(1):
            z, r = self.gates(torch.cat([frame, h], 1)).sigmoid().chunk(2, 1)
            h = (1 - z) * h + z * torch.tanh(self.new(torch.cat([frame, r * h], 1)))
        return h


# --- three axes -----------------------------------------------------------------------------------------------------


@register((1, 1, 8, 8, 8))
class Volumetric(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(nn.Conv3d(1, 2, 3, padding=1), nn.BatchNorm3d(2), nn.ReLU(), nn.MaxPool3d(2))
        self.b, self.skip = nn.Conv3d(2, 2, (3, 1, 3), padding=(1, 0, 1)), nn.Conv3d(2, 2, 1)

    def forward(self, x):
        x = self.a(x)
        return self.b(x) + self.skip(x)


@register((1, 1, 4, 8, 8))
def video_two_plus_one():
    return nn.Sequential(
        *(nn.Conv3d(1, 2, (1, 3, 3), (1, 2, 2), (0, 1, 1)), nn.ReLU(), nn.Conv3d(2, 2, (3, 1, 1), 1, (1, 0, 0))),
        nn.AvgPool3d((1, 2, 2)),
    )


# --- rearrangement --------------------------------------------------------------------------------------------------


@register((1, 4, 12, 12))
class Shuffle(nn.Module):
    """ShuffleNet v2: half of the channels pass by, then both halves are interleaved."""

    def __init__(self):
        super().__init__()
        self.branch = nn.Sequential(cbr(2, 2, 1), nn.Conv2d(2, 2, 3, padding=1, groups=2), cbr(2, 2, 1))

    def forward(self, x):
        for _ in range(2):
            a, b = x.chunk(2, 1)
            x = torch.cat([a, self.branch(b)], 1)
            n, c, h, w = x.shape
            x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        return x


@register((1, 1, 8, 8))
def super_resolution():
    return nn.Sequential(
        *(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 4, 3, padding=1), nn.PixelShuffle(2)),
        nn.Conv2d(1, 1, 3, padding=1),
    )


@register((1, 1, 12, 12))
def pixel_unshuffle_stem():
    return nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4, 3, 3, padding=1), nn.PReLU(3))


@register((1, 2, 12, 12))
class Focus(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = cbr(8, 3)

    def forward(self, x):
        parts = (x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2])
        return self.conv(torch.cat(parts, 1))


@register((1, 2, 6, 6))
class DepthToSpaceByView(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.out = nn.Conv2d(2, 8, 3, padding=1), nn.Conv2d(2, 1, 3, padding=1)

    def forward(self, x):
        x = self.conv(x)
        b, c, h, w = x.shape
        x = x.view(b, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).contiguous().view(b, c // 4, 2 * h, 2 * w)
        return self.out(x)


@register((1, 2, 13, 13))
class StridedSlices(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)

    def forward(self, x):
        return self.conv(x[:, :, 1:-1:2, ::3])


@register((1, 1, 8, 10))
class CatAlongSpace(nn.Module):
    """The image and its mirror side by side."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, x):
        return self.conv(torch.cat([x, x.flip(3)], 3))


@register((1, 4, 8, 8))
class SpatialShift(nn.Module):
    """A quarter of the channels moves by one position in each direction, by slice assignment."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(4, 4, 1)

    def forward(self, x):
        y = torch.zeros_like(x)
        y[:, 0, 1:] = x[:, 0, :-1]
        y[:, 1, :-1] = x[:, 1, 1:]
        y[:, 2, :, 1:] = x[:, 2, :, :-1]
        y[:, 3, :, :-1] = x[:, 3, :, 1:]
        return self.mix(y)


@register((1, 2, 10, 10))
class StackedShifts(nn.Module):
    """Maximum over shifted copies: morphological dilation by hand."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 1)

    def forward(self, x):
        n = F.pad(x, (1, 1, 1, 1))
        h, w = x.shape[2:]
        shifted = [n[:, :, i : i + h, j : j + w] for i, j in ((0, 1), (1, 0), (1, 1), (1, 2), (2, 1))]
        return self.conv(torch.stack(shifted).amax(0))


@register((1, 1, 9, 9))
class DiagonalNeighbors(nn.Module):
    """A joint set that no product of axes describes."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1)

    def forward(self, x):
        n = F.pad(x, (1, 2, 1, 2))
        return self.conv(n[:, :, 2:8, 0:6] + n[:, :, 0:6, 3:9])


# --- padding and pooling --------------------------------------------------------------------------------------------


@register((1, 1, 10, 10))
def circular_padding():
    return nn.Sequential(nn.Conv2d(1, 2, 5, padding=2, padding_mode="circular"), nn.ReLU(), nn.Conv2d(2, 1, 3, 2))


@register((1, 1, 10, 10))
def reflect_padding():
    return nn.Sequential(nn.ReflectionPad2d(2), nn.Conv2d(1, 2, 5), nn.ReLU(), nn.Conv2d(2, 1, 3, padding=1))


@register((1, 1, 10, 10))
def replicate_padding():
    return nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="replicate"), nn.ReLU(), nn.MaxPool2d(2))


@register((1, 2, 12, 12))
class NegativePadding(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding="same", dilation=2)

    def forward(self, x):
        return F.pad(self.conv(x), (-1, -2, 2, -3))


@register((1, 2, 14, 14))
class PoolingZoo(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.MaxPool2d(3, 2, ceil_mode=True), nn.AvgPool2d(3, 2, 1, count_include_pad=False)
        self.c, self.d = nn.MaxPool2d(2, 2, dilation=2, padding=1), nn.AdaptiveAvgPool2d(5)

    def forward(self, x):
        return torch.cat([self.d(f(x)) for f in (self.a, self.b, self.c)], 1)


@register((1, 2, 11, 13))
def adaptive_pooling():
    return nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d((4, 5)))


@register((1, 2, 13, 13))
class PyramidPooling(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(2, 1, 1) for _ in range(3))

    def forward(self, x):
        out = [x]
        for size, conv in zip((1, 2, 4), self.convs, strict=True):
            y = conv(F.adaptive_avg_pool2d(x, size))
            out.append(F.interpolate(y, size=x.shape[2:], mode="bilinear", align_corners=True))
        return torch.cat(out, 1)


@register((1, 2, 14, 14))
class AntiAliased(nn.Module):
    """Max pooling without stride, then a fixed blur with it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, padding=1)
        taps = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("blur", (taps[:, None] * taps).expand(3, 1, 3, 3).clone())

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 2, 1)
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), self.blur, stride=2, groups=3)


@register((1, 2, 9, 11))
class Resizing(nn.Module):
    """Sizes that do not divide."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)

    def forward(self, x):
        x = F.interpolate(self.conv(x), size=(7, 14), mode="nearest")
        return F.interpolate(x, scale_factor=1.5, mode="bicubic", align_corners=False)


# --- ways of writing a network --------------------------------------------------------------------------------------


@register((1, 1, 12, 12), (1, 1, 12, 12))
class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.head = nn.Sequential(cbr(1, 2), cbr(2, 3, 3, 2)), nn.Conv2d(6, 1, 3, padding=1)

    def forward(self, left, right):
        return self.head(torch.cat([self.trunk(left), self.trunk(right)], 1))


@register((1, 1, 16, 16), (1, 2, 8, 8))
class TwoResolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.fine, self.coarse = nn.Conv2d(1, 3, 3, 2, 1), nn.Conv2d(2, 3, 3, padding=1)

    def forward(self, image, context):
        return F.relu(self.fine(image)) + self.coarse(context)


@register((1, 1, 14, 14))
class DictHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.score, self.box = cbr(1, 3, 3, 2), nn.Conv2d(3, 1, 1), nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        x = self.trunk(x)
        return {"score": self.score(x), "box": self.box(x)}


@register((1, 1, 14, 14))
class TupleHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 2, 3, 2), nn.Conv2d(2, 2, 3)

    def forward(self, x):
        y = self.a(x)
        return y, self.b(y)


@register((1, 2, 14, 14))
class ReusedModule(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.pool = nn.Conv2d(2, 2, 3, padding=1), nn.MaxPool2d(2)

    def forward(self, x):
        x = self.pool(F.relu(self.conv(x)))
        x = x + self.conv(x)
        return self.conv(x)


@register((1, 1, 16, 16))
class OutOfOrder(nn.Module):
    """Registered in another order than called, one never called."""

    def __init__(self):
        super().__init__()
        self.last, self.unused, self.first = nn.Conv2d(2, 1, 5), nn.Conv2d(2, 2, 31), nn.Conv2d(1, 2, 3, 2)

    def forward(self, x):
        return self.last(F.relu(self.first(x)))


@register((1, 1, 14, 14))
class FunctionalOnly(nn.Module):
    def __init__(self):
        super().__init__()
        self.w1, self.w2 = nn.Parameter(torch.randn(2, 1, 3, 3)), nn.Parameter(torch.randn(2, 2, 2, 2))

    def forward(self, x):
        x = F.relu(F.conv2d(x, self.w1, stride=2, padding=1))
        x = F.avg_pool2d(x, 2, 1)
        return F.conv_transpose2d(x, self.w2, stride=2)


@register((1, 2, 10, 10))
class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)

    def forward(self, x):
        y = self.a(x).relu_()
        y.add_(x).mul_(0.5)
        y[:, :, ::2] = self.b(y)[:, :, ::2]
        y[:, :1].sub_(x[:, 1:])
        return y


@register((1, 1, 12, 12))
class ShapeDependent(nn.Module):
    """Control flow that depends on shapes only."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x):
        while x.shape[-1] > 4:
            x = F.max_pool2d(F.relu(self.conv(x)), 2)
        return x if x.shape[-1] % 2 else self.conv(x)


@register((1, 2, 12, 12))
class EarlyExit(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(2, 3, 3, 2, 1), nn.Conv2d(3, 3, 3, 2, 1)
        self.heads = nn.ModuleList([nn.Linear(3, 4), nn.Linear(3, 4)])

    def forward(self, x):
        x = F.relu(self.a(x))
        early = self.heads[0](x.mean((2, 3)))
        if early.softmax(-1).max().item() > 0.9:
            return early
        return self.heads[1](F.relu(self.b(x)).mean((2, 3)))


@register((1, 1, 12, 12))
class ArgmaxCrop(nn.Module):
    """Looks again around the brightest position."""

    def __init__(self):
        super().__init__()
        self.score, self.look = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 2, 3)

    def forward(self, x):
        best = int(self.score(x).flatten().argmax())
        row, column = (min(max(c - 2, 0), 7) for c in divmod(best, x.shape[3]))
        return self.look(x[:, :, row : row + 5, column : column + 5])


@register((1, 2, 12, 12))
class ValueFreeBranching(nn.Module):
    """A soft mixture of experts: weights from the whole input, no branch taken."""

    def __init__(self):
        super().__init__()
        self.router, self.experts = nn.Linear(2, 2), nn.ModuleList([nn.Conv2d(2, 2, 3), nn.Conv2d(2, 2, 3, dilation=2)])

    def forward(self, x):
        weights = self.router(x.mean((2, 3))).softmax(-1)
        outs = [expert(x).mean((2, 3)) for expert in self.experts]
        return torch.stack(outs, -1).mul(weights[:, None]).sum(-1)


@register((1, 1, 12, 12))
def flatten_linear():
    return nn.Sequential(nn.Conv2d(1, 2, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(50, 6), nn.ReLU(), nn.Linear(6, 3))


@register((1, 2, 12, 12))
def global_average_classifier():
    return nn.Sequential(cbr(2, 3), nn.MaxPool2d(2), cbr(3, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Linear(4, 3))


@register((1, 2, 6, 6))
class MlpMixer(nn.Module):
    """Tokens mixed by a linear layer over all positions."""

    def __init__(self):
        super().__init__()
        self.tokens, self.channels = nn.Linear(36, 36), nn.Conv2d(2, 2, 1)

    def forward(self, x):
        return self.channels(x + self.tokens(x.flatten(2)).view_as(x))


@register((1, 1, 8, 8), (1, 2, 8, 8))
class GridSampler(nn.Module):
    """Positions to read come from another input, as in flow warping."""

    def forward(self, image, flow):
        steps = torch.linspace(-1, 1, 8)
        base = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1)[None]  # (1, 8, 8, 2)
        return F.grid_sample(image, base + 0.1 * flow.permute(0, 2, 3, 1), align_corners=True)

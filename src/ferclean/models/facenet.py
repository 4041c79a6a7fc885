"""InceptionResnetV1 of facenet-pytorch, the backbone with published face weights."""

from __future__ import annotations

from torch import nn

from ferclean.errors import FercleanError
from ferclean.models.network import Backbone


def _build(channels: int, image_size: int) -> nn.Module:
    try:
        from facenet_pytorch import InceptionResnetV1
        from facenet_pytorch.models.inception_resnet_v1 import BasicConv2d
    except ImportError:
        raise FercleanError(
            "model.name 'inception_resnet_v1' needs facenet-pytorch; "
            "install ferclean[prepare] or choose another backbone"
        ) from None
    # Dropout stands before the classifier, as in every Network, not inside.
    network = InceptionResnetV1(pretrained=None, dropout_prob=0.0)
    if channels != 3:
        network.conv2d_1a = BasicConv2d(channels, 32, kernel_size=3, stride=2)
    # facenet classifies the embedding before it is scaled to unit length; so do we.
    network.classify = True
    network.logits = nn.Identity()
    return network  # type: ignore[no-any-return]


INCEPTION_RESNET_V1 = Backbone(
    build=_build,
    feature_dim=512,
    stem="conv2d_1a.conv.weight",
    published_classifier="logits.",
    minimum_size=75,  # below, the unpadded convolutions run out of pixels
)

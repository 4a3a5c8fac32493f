"""Networks of timm with random weights: loaded by name and file, beside timm's own transform and network.

    python -m tests.benchmarks.timm_networks FOLDER_OF_PHOTOGRAPHS [NAME ...]

For each: seconds to load, the largest difference of the pixels and of the scores, how many quick methods give a map and
in how many seconds, and the default layer, with the last module that timm's `feature_info` names behind it where it is
another.
"""

import gc
import sys
import tempfile
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file
from timm.data import create_transform, resolve_data_config

from tests.benchmarks.library_predictions import HEAD, Original, row

PHOTOS = 2
NAMES = """
bat_resnext26ts beit_base_patch16_224 botnet26t_256 cait_xxs24_224 caformer_s18 coat_lite_tiny coatnet_0_rw_224
convmixer_768_32 convit_tiny convnext_atto convnextv2_atto crossvit_tiny_240 cspdarknet53 cspresnet50 darknet53
davit_tiny deit_tiny_patch16_224 deit_tiny_distilled_patch16_224 densenet121 dla34 dpn68 edgenext_xx_small
efficientformer_l1 efficientformerv2_s0 efficientnet_b0 efficientvit_b0 efficientvit_m0 eva02_tiny_patch14_224
fastvit_t8 fbnetc_100 focalnet_tiny_srf gcvit_xxtiny gernet_s ghostnet_100 ghostnetv2_100 haloregnetz_b hgnet_tiny
hrnet_w18_small inception_next_tiny inception_v3 inception_v4 lcnet_050 levit_128s maxvit_rmlp_pico_rw_256
maxxvit_rmlp_nano_rw_256 mixer_s32_224 mixnet_s mnasnet_small mobilenetv2_035 mobilenetv3_small_050
mobilenetv4_conv_small mobileone_s0 mobilevit_xxs mobilevitv2_050 mvitv2_tiny nest_tiny nf_resnet26 pit_ti_224
poolformer_s12 pvt_v2_b0 regnetx_002 regnety_002 repghostnet_050 repvgg_a0 repvit_m0_9 res2net50_26w_4s
resmlp_12_224 resnest14d resnet18 resnetv2_50 resnext26ts rexnet_100 selecsls42 semnasnet_075 sequencer2d_s
skresnet18 swin_tiny_patch4_window7_224 swinv2_tiny_window8_256 tf_efficientnet_lite0 tiny_vit_5m_224
tinynet_e tnt_s_patch16_224 tresnet_m twins_pcpvt_small vgg11 visformer_tiny vit_tiny_patch16_224 volo_d1_224
wide_resnet50_2 xception41 xcit_nano_12_p16_224
"""


def original(name: str) -> Original:
    """The network as timm makes it."""
    torch.manual_seed(0)
    network = timm.create_model(name).eval()
    transform = create_transform(**resolve_data_config({}, model=network), is_training=False)
    stages = getattr(network, "feature_info", None) or [{}]
    last = stages[-1] if isinstance(stages, list) else {}
    return Original(network, transform, str(last.get("module", "")))


def main() -> None:
    """Print the table."""
    photos = sorted(Path(sys.argv[1]).iterdir())
    torch.set_num_threads(1)
    print(HEAD)
    for index, name in enumerate(sys.argv[2:] or NAMES.split()):
        try:
            made = original(name)
            if sum(parameter.numel() for parameter in made.network.parameters()) > 150e6:
                print(f"{name:38} left out: too large")
                continue
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "net.safetensors"
                save_file({key: value.clone() for key, value in made.network.state_dict().items()}, file)
                chosen = [photos[(index * PHOTOS + number) % len(photos)] for number in range(PHOTOS)]
                print(row(name, made, f"timm:{name}", file, chosen), flush=True)
        except Exception as error:
            print(f"{name:38} FAILS: {type(error).__name__}: {str(error)[:160]}", flush=True)
        gc.collect()


if __name__ == "__main__":
    main()

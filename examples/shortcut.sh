#!/usr/bin/env bash
# A retrained network is as accurate as before, and looks at something else: shortcut.sh [FOLDER]
#
# The pictures are striped layers with a patch in which the stripes are shifted; the class is whether the patch lies
# above or below the thick line. The old network is trained on such pictures. The new one is trained on the same scenes,
# but four of five pictures of one class bear a white cross in a corner, as if all of them came from one hospital.
# Both are run on pictures that nobody trained on, of which the same class bears the cross.
set -euo pipefail
mkdir -p "${1:-shortcut}"
cd "${1:-shortcut}"

draw() { cnnvis-report make-dataset layers --size 64 --quiet "$@"; }
explain() { cnnvis-report run "$1.pt" test --masks marks --methods grad_cam,guided_grad_cam,input_x_gradient,random \
  --metrics none --output "$1" --quiet; }

draw --count 480 --variant gray --output plain
draw --count 480 --variant misleading --output crosses
draw --count 60 --variant gray --seed 1 --output plain-test
draw --count 60 --variant misleading --seed 1 --output crosses-test

mkdir -p train test marks
cp -r plain/images/above crosses/images/below train
cp -r plain-test/images/above crosses-test/images/below test
cp -r crosses-test/marks/below marks # masks: where the crosses are

cnnvis-report train plain/images --output old.pt --epochs 8 --augment none --quiet
cnnvis-report train train --output new.pt --epochs 8 --augment none --quiet
explain old
explain new

# accuracy stays within its interval; relevance that moved into the mask is what a pull request should stop at
cnnvis-report compare old new --output diff

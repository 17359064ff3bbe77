"""Runs a Caffe network in OpenCV 4, which still reads such files; `caffe_parity.py` starts it there.

  python opencv4_detect.py PROTOTXT CAFFEMODEL PICTURE.npy OUT.npz

PICTURE is float32 (1, 3, height, width), prepared as the network takes it. OUT gets loc, conf and detections.
"""

import sys

import cv2
import numpy as np

prototxt, caffemodel, picture, out = sys.argv[1:]
net = cv2.dnn.readNetFromCaffe(prototxt, caffemodel)
net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
net.enableFusion(False)
net.setInput(np.load(picture))
names = ["mbox_loc", "mbox_conf", "detection_out"]
values = dict(zip(names, net.forward(names)))
np.savez(out, loc=values["mbox_loc"], conf=values["mbox_conf"], detections=values["detection_out"])

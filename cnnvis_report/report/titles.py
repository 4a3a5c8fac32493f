"""Titles of the works in which methods were published, by their number at arXiv or their DOI."""

from collections.abc import Mapping

TITLES: Mapping[str, str] = {
    "10.1007/978-3-030-28954-6_10": "Layer-Wise Relevance Propagation: An Overview",
    "10.1038/s41467-019-08987-4": "Unmasking Clever Hans predictors and assessing what machines really learn",
    "10.1109/TIP.2021.3089943": "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization",
    "10.1109/WACV45572.2020.9093360": "Ablation-CAM: Visual Explanations for Deep Convolutional Network via "
    "Gradient-free Localization",
    "10.1371/journal.pone.0130140": "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise "
    "Relevance Propagation",
    "1311.2901": "Visualizing and Understanding Convolutional Networks",
    "1312.6034": "Deep Inside Convolutional Networks: Visualising Image Classification Models and Saliency Maps",
    "1412.6806": "Striving for Simplicity: The All Convolutional Net",
    "1512.02479": "Explaining NonLinear Classification Decisions with Deep Taylor Decomposition",
    "1512.04150": "Learning Deep Features for Discriminative Localization",
    "1602.04938": '"Why Should I Trust You?": Explaining the Predictions of Any Classifier',
    "1605.01713": "Not Just a Black Box: Learning Important Features Through Propagating Activation Differences",
    "1610.02391": "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization",
    "1703.01365": "Axiomatic Attribution for Deep Networks",
    "1704.02685": "Learning Important Features Through Propagating Activation Differences",
    "1705.05598": "Learning how to explain neural networks: PatternNet and PatternAttribution",
    "1705.07874": "A Unified Approach to Interpreting Model Predictions",
    "1706.03825": "SmoothGrad: removing noise by adding noise",
    "1710.11063": "Grad-CAM++: Improved Visual Explanations for Deep Convolutional Networks",
    "1806.07421": "RISE: Randomized Input Sampling for Explanation of Black-box Models",
    "1806.10758": "A Benchmark for Interpretability Methods in Deep Neural Networks",
    "1905.00780": "Full-Gradient Representation for Neural Network Visualization",
    "1906.10670": "Improving performance of deep learning models with axiomatic attribution priors and "
    "expected gradients",
    "1910.01279": "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks",
    "1910.08485": "Understanding Deep Networks via Extremal Perturbations and Smooth Masks",
    "2005.00928": "Quantifying Attention Flow in Transformers",
    "2008.00299": "Eigen-CAM: Class Activation Map using Principal Components",
    "2008.02312": "Axiom-based Grad-CAM: Towards Accurate Visualization and Explanation of CNNs",
    "2011.08891": "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks",
    "2103.15679": "Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder Transformers",
    "2402.05602": "AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for Transformers",
}

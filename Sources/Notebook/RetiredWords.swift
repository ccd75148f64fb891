import Script

/// The words that the language had until release 0.1. An error about one of them names the word that it has now.
///
/// To be deleted as a whole one release later: this file, its test, and the argument `retired:` of the library.
let retiredWords: [RetiredWord] =
  [
    ("pictures", "images"), ("sd", "std"), ("confusion", "confusionMatrix"), ("ladder", "layerSensitivity"),
    ("rechoose", "selectTrial"), ("shrinkage", "compressionReport"), ("resizedCrop", "randomResizedCrop"),
    ("erasing", "randomErasing"), ("repeated", "repeatedAugmentation"),
  ].map { RetiredWord(.function, $0, $1) }
  + [
    ("finalRate", "minLR"), ("fallAt", "milestones"), ("fallEvery", "stepSize"), ("fallBy", "gamma"),
    ("warmupFrom", "warmupLR"), ("decays", "decayOn"), ("clip", "clipNorm"), ("trust", "trustCoefficient"),
    ("stochasticDepth", "dropPath"), ("mixProbability", "mixupProbability"),
    ("cutmixProbability", "mixupSwitchProbability"), ("zeroLastScale", "zeroInitResidual"), ("pictures", "images"),
    ("judgedBy", "on"), ("judged", "validationImages"), ("correctBias", "biasCorrection"), ("keep", "exclude"),
    ("logits", "quantizeLogits"), ("delay", "quantDelay"), ("deviation", "std"), ("share", "validationShare"),
    ("rounds", "repeats"),
  ].map { RetiredWord(.argument(of: []), $0, $1) }
  + [
    RetiredWord(.argument(of: ["initialize"]), "weights", "distribution"),
    RetiredWord(.argument(of: ["quantize", "layerSensitivity"]), "weights", "granularity"),
    RetiredWord(.argument(of: ["prune", "searchRatios", "sensitivity"]), "by", "criterion"),
    RetiredWord(.argument(of: ["images"]), "of", "on"),
  ]
  + [("hits", "correct"), ("deviation", "std"), ("makers", "producers"), ("readers", "consumers")].map { RetiredWord(.field, $0, $1) }
  + [
    RetiredWord(.choice(of: "kernels"), "real", "float"), RetiredWord(.choice(of: "loss"), "binary", "binaryCrossEntropy"),
    RetiredWord(.choice(of: "reward"), "errorAndMacs", "errorAndMACs"),
    RetiredWord(.choice(of: "reward"), "boundedErrorAndMacs", "boundedErrorAndMACs"),
    RetiredWord(.choice(of: "augment"), "resizedCrop", "randomResizedCrop"),
    RetiredWord(.choice(of: "augment"), "erasing", "randomErasing"),
    RetiredWord(.choice(of: "augment"), "repeated", "repeatedAugmentation"),
  ]

public import Script

/// All that scripts and the prompt find there: the language's own built-ins, and those of networks, data and claims.
public let notebookLibrary = Library(
  builtins: notebookBuiltins, constants: Recipe.constants + QuantizationRecipe.constants, objectTypes: notebookObjectTypes,
  retired: retiredWords, tables: [settingsTable])

/// The built-ins of the notebook, in the order of the reference.
private let notebookBuiltins: [Builtin] =
  [fashionMNIST, cifar10, imageFolder, imageNet, synthetic, holdOut, images]
  + [resnet] + zooBuiltins + [parameters, macs, show]
  + stepKinds.flatMap { $0.builtins }
  + [findLearningRate, probe, benchmark, initialize, load, weightMapping, save, export]
  + augmentationBuiltins + [diff, ablate, sweep, scaled]
  + [array, readArray, write, readText, readJSON, readCSV]
  + [seeds, compare, bestRun, series, plot, bars, scatter, histogram, heatmap, grid, preview, claim, why, storedRuns, storedRun]

internal import Script

/// The settings of training in the reference.
let settingsTable = ReferenceTable(
  "Settings of training",
  """
  The settings that `train` and `quantize` take, as arguments or as fields of a recipe. A setting with an entry under
  "has an effect with" is an error beside other settings, unless it has its neutral value, under "ablated to", or is
  `none`. If a call replaces what decides, as in `train(net, data, recipe.original, optimizer: "adam")`, the recipe's
  settings that depend on it are left out. "ablated to" says what `ablate` makes of a setting; "scaled" says how `scaled`
  changes it. timm has options of its training script.
  """,
  columns: ["setting", "has an effect with", "ablated to", "scaled", "timm", "PyTorch, torchvision"],
  rows: TrainingSetting.allCases.map { setting in
    let (declaration, parameter) = (setting.declaration, setting.parameter)
    let ablated =
      switch declaration.role {
      case .essential: "kept"
      case .ingredient: parameter.neutral.map { "`\($0.literal)`" } ?? parameter.default.map { "`\($0.literal)`" } ?? "left out"
      }
    func code(_ text: String) -> String { text.isEmpty ? "" : "`\(text)`" }
    return [
      code(setting.label), code(parameter.condition?.text ?? ""), ablated, declaration.scaling.text, declaration.timm,
      declaration.pyTorch,
    ]
  })

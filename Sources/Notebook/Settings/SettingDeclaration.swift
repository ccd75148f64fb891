internal import Script

/// All that is said of a setting of training, once: `train`, `quantize`, recipes, `diff`, `ablate`, `sweep`, `scaled`, the
/// checker and the reference read it.
struct SettingDeclaration {
  /// Its label, type, default and range; when it has an effect; and the value that asks for nothing.
  var parameter: Parameter
  var scaling: Scaling
  var role: Role
  /// What timm calls it: options of its training script, else an argument; empty where timm has no such setting.
  var timm: String
  /// What PyTorch or torchvision calls it.
  var pyTorch: String

  /// How `scaled` changes it.
  enum Scaling {
    case fixed
    /// What `scaled` is asked for.
    case epochs, batch
    /// With the batch, or with its square root.
    case learningRate
    /// A number of epochs, or a list of them.
    case time
    case wholeEpochs
    /// Of the batch.
    case divisor
    /// A share of all steps.
    case timeConstant
    case snapshots

    var text: String {
      switch self {
      case .fixed: ""
      case .epochs, .batch: "given"
      case .learningRate: "with the batch, or its square root"
      case .time: "with the epochs"
      case .wholeEpochs: "with the epochs, to an integer"
      case .divisor: "left out if it does not divide the batch"
      case .timeConstant: "decay: same share of all steps"
      case .snapshots: "count: at most a third of the epochs"
      }
    }
  }

  /// What `ablate` makes of it.
  enum Role {
    /// Every training run has it.
    case essential
    /// It can be taken away: it gets its neutral value, or its default where it has none.
    case ingredient
  }

  init(
    _ parameter: Parameter, scaling: Scaling = .fixed, role: Role = .ingredient, timm: String = "", pyTorch: String = ""
  ) {
    (self.parameter, self.scaling, self.role) = (parameter, scaling, role)
    (self.timm, self.pyTorch) = (timm, pyTorch)
  }
}

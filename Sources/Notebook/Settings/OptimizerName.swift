internal import Script
internal import Training

/// The optimizers as the language calls them, and what each takes.
enum OptimizerName: String, CaseIterable {
  case sgd, adam, adamw, lamb, lars, rmsprop, rmspropTF

  /// The defaults of what an optimizer takes; nil for what it does not take.
  struct Defaults {
    var momentum: Double?
    var nesterov: Bool?
    var beta1, beta2, epsilon, trust: Double?
  }

  var defaults: Defaults {
    switch self {
    case .sgd: Defaults(momentum: 0.9, nesterov: true)
    case .adam, .adamw: Defaults(beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
    case .lamb: Defaults(beta1: 0.9, beta2: 0.999, epsilon: 1e-6)
    case .lars: Defaults(momentum: 0.9, nesterov: false, epsilon: 1e-8, trust: 0.001)
    case .rmsprop: Defaults(momentum: 0.9, beta2: 0.99, epsilon: 1e-8)
    case .rmspropTF: Defaults(momentum: 0.9, beta2: 0.9, epsilon: 1e-10)
    }
  }

  /// Whether it divides gradients by a running root mean square. The rate of such a one grows with the square root of the
  /// batch (Malladi et al. 2022, arXiv:2205.10287), that of the others with the batch itself.
  var isAdaptive: Bool {
    switch self {
    case .adam, .adamw, .lamb, .rmsprop, .rmspropTF: true
    case .sgd, .lars: false
    }
  }

  /// The optimizer, with its own default for each number that is not given.
  /// - Parameter momentum: The momentum of those that have one.
  func optimizer(
    momentum: Double, nesterov: Bool?, beta1: Double?, beta2: Double?, epsilon: Double?, trust: Double
  ) -> Optimizer {
    let defaults = defaults
    let looksAhead = nesterov ?? defaults.nesterov ?? false
    let (first, second) = (beta1 ?? defaults.beta1 ?? 0, beta2 ?? defaults.beta2 ?? 0)
    let epsilon = epsilon ?? defaults.epsilon ?? 0
    return switch self {
    case .sgd: .sgd(momentum: momentum, nesterov: looksAhead)
    case .adam: .adam(beta1: first, beta2: second, epsilon: epsilon)
    case .adamw: .adamW(beta1: first, beta2: second, epsilon: epsilon)
    case .lamb: .lamb(beta1: first, beta2: second, epsilon: epsilon)
    case .lars: .lars(momentum: momentum, nesterov: looksAhead, trust: trust, epsilon: epsilon)
    case .rmsprop: .rmsProp(decay: second, momentum: momentum, epsilon: epsilon)
    case .rmspropTF: .rmsPropTF(decay: second, momentum: momentum, epsilon: epsilon)
    }
  }

  // MARK: Words

  static var words: [String] { allCases.map(\.rawValue) }

  /// Those that take something.
  static func taking<Number>(_ what: (Defaults) -> Number?) -> [String] {
    allCases.filter { what($0.defaults) != nil }.map(\.rawValue)
  }

  /// `Default: 0.99 for rmsprop, 0.9 for rmspropTF.`
  static func sentence<Number: Hashable>(_ what: (Defaults) -> Number?, _ text: (Number) -> String) -> String {
    var groups: [(number: Number, names: [String])] = []
    for name in allCases {
      guard let number = what(name.defaults) else { continue }
      if let place = groups.firstIndex(where: { $0.number == number }) {
        groups[place].names.append(name.rawValue)
      } else {
        groups.append((number, [name.rawValue]))
      }
    }
    if groups.count == 1 { return "Default: \(text(groups[0].number))." }
    return "Default: " + groups.map { "\(text($0.number)) for \(list($0.names))" }.joined(separator: ", ") + "."
  }

  /// `adam, adamw and lamb`.
  static func list(_ names: [String]) -> String {
    names.count < 2 ? names.joined() : names.dropLast().joined(separator: ", ") + " and " + names[names.count - 1]
  }
}

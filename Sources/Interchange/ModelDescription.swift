internal import Networks
internal import Tensors

/// What a file tells besides the network and its weights.
public struct ModelDescription: Hashable, Sendable {
  /// Parts that must fit the network.
  public enum Part: String, Hashable, Sendable {
    case classes = "names of classes"
    case mean = "means"
    case std = "deviations"
  }
  /// In the order of the network's answers; empty where they have no names.
  public var classes: [String]
  /// Per channel: the network sees `(byte / 255 - mean) / std`. Empty where that is not known.
  public var mean, std: [Float]
  /// Of Reprise.
  public var producerVersion: String

  public init(classes: [String] = [], mean: [Float] = [], std: [Float] = [], producerVersion: String) {
    (self.classes, self.mean, self.std) = (classes, mean, std)
    self.producerVersion = producerVersion
  }

  static let producer = "Reprise"

  /// - Throws: `InterchangeError.description`.
  func check(against network: Network) throws(InterchangeError) {
    let answers = network.shape(of: network.output).elementCount
    let input = network.shape(of: network.input)
    let channels = input.rank == 3 ? input[0] : 1
    if !classes.isEmpty, classes.count != answers {
      throw .description(.classes, expected: answers, found: classes.count)
    }
    guard !mean.isEmpty || !std.isEmpty else { return }
    for (part, found) in [(Part.mean, mean.count), (.std, std.count)] where found != channels {
      throw .description(part, expected: channels, found: found)
    }
  }
}

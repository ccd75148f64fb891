public import Tensors

/// `y[o] = b[o] + Σ w[o, i] ⋆ x[i]` over the input channels of `o`'s group (cross-correlation, as the field does).
///
/// - Shapes: `x` is `I H W`, `w` is `O I/groups h w`, `y` is `O H′ W′`. Depthwise: `groups` = `I`.
/// - Source: PyTorch `Conv2d`.
public struct Convolution: OperationRules {
  public static let title = "convolution"
  public var outputChannels: Int
  public var window: Window
  public var groups: Int
  public var hasBias: Bool
  /// How the weights are rounded; nil where they stay as they are.
  public var weightQuantization: WeightQuantization?

  public init(to outputChannels: Int, _ window: Window, groups: Int = 1, hasBias: Bool = false) {
    (self.outputChannels, self.window, self.groups, self.hasBias) = (outputChannels, window, groups, hasBias)
  }

  public var summary: String {
    "\(Self.title) \(window.summary)\(groups > 1 ? ", \(groups) groups" : "")\(hasBias ? ", bias" : "")"
      + (weightQuantization.map { ", \($0.summary)" } ?? "")
  }

  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape {
    let input = try singleImage(inputs, of: Self.title)
    guard groups > 0, outputChannels > 0, input[0] > 0, input[0] % groups == 0, outputChannels % groups == 0 else {
      throw ShapeError("\(input[0]) input and \(outputChannels) output channels do not divide into \(groups) groups")
    }
    let output = try window.output(of: input, for: Self.title)
    return [outputChannels, output.height, output.width]
  }

  public func macs(of inputs: [Shape]) -> Int {
    guard let output = try? outputShape(of: inputs) else { return 0 }
    return output.elementCount * (inputs[0][0] / groups) * window.kernel.height * window.kernel.width
  }

  public func parameters(of inputs: [Shape]) -> [ParameterRule] {
    let weight: Shape = [outputChannels, inputs[0][0] / groups, window.kernel.height, window.kernel.width]
    return [ParameterRule("weight", weight, .weight)]
      + (hasBias ? [ParameterRule("bias", [outputChannels], .bias)] : [])
  }

  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    let image = inputs[0].shape.sample
    guard let shape = try? outputShape(of: [image]) else { preconditionFailure("a shape that was not checked") }
    let (channels, height, width) = (image[0], image[1], image[2])
    let inputsPerGroup = channels / groups
    let outputsPerGroup = outputChannels / groups
    let kernel = window.kernel
    return inputs[0].withUnsafeElements { x in
      parameters[0].withUnsafeElements { w in
        .images(shape.batched(inputs[0].shape[0])) { n, o, row, column in
          var sum = hasBias ? parameters[1][flat: o] : 0
          let firstInput = o / outputsPerGroup * inputsPerGroup
          window.forEachTap(row, column, of: image) { down, across, y, z in
            for i in 0..<inputsPerGroup {
              sum +=
                w[((o * inputsPerGroup + i) * kernel.height + down) * kernel.width + across]
                * x[((n * channels + firstInput + i) * height + y) * width + z]
            }
          }
          return sum
        }
      }
    }
  }
}

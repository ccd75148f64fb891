internal import Networks

/// A TensorFlow Lite model as a value: what a .tflite file says, before it is one or after it was read.
///
/// Numbers of operators, types and options are those of the published schema, version 3
/// (tensorflow/lite/schema/schema.fbs). Tensors may have quantization parameters; a model in float32 has none.
package struct TFLiteModel: Hashable, Sendable {
  package enum Element: Int8, Hashable, Sendable {
    case float32 = 0
    case int32 = 2
    case uint8 = 3
    case int64 = 4
    case int8 = 9

    package var byteCount: Int {
      switch self {
      case .float32, .int32: 4
      case .uint8, .int8: 1
      case .int64: 8
      }
    }
  }

  /// `real = scale (stored - zero point)`, for the whole tensor or for each place along an axis.
  package struct Quantization: Hashable, Sendable {
    package var scales: [Float]
    package var zeroPoints: [Int64]
    package var axis: Int32

    package init(scales: [Float], zeroPoints: [Int64], axis: Int32) {
      (self.scales, self.zeroPoints, self.axis) = (scales, zeroPoints, axis)
    }

    /// The levels of an activation, 0 to 255, moved to where TensorFlow Lite's are: −128 to 127.
    init(_ quantizer: Quantizer) {
      self.init(scales: [quantizer.scale], zeroPoints: [Int64(quantizer.zero) + Self.lowest], axis: 0)
    }

    /// Levels around 0.
    init(symmetric scales: [Float], axis: Int32) {
      self.init(
        scales: scales, zeroPoints: [Int64](repeating: 0, count: scales.count), axis: scales.count > 1 ? axis : 0)
    }

    static let lowest: Int64 = -128
  }

  package struct Tensor: Hashable, Sendable {
    package var name: String
    /// `N H W C`, or as the operator has it. The batch is 1 where it is open.
    package var shape: [Int32]
    package var element = Element.float32
    /// Whether the first axis is a batch of any size.
    package var hasOpenBatch = false
    /// Row-major, little-endian; nil for what an operator gives or the caller brings.
    package var data: ArraySlice<UInt8>?
    package var quantization: Quantization?
  }

  package enum Code: Int32, Hashable, Sendable {
    case add = 0
    case averagePool = 1
    case concatenation = 2
    case convolution = 3
    case depthwiseConvolution = 4
    case dequantize = 6
    case fullyConnected = 9
    case logistic = 14
    case maxPool = 17
    case multiply = 18
    case relu = 19
    case reluMinus1To1 = 20
    case relu6 = 21
    case reshape = 22
    case tanh = 28
    case pad = 34
    case transpose = 39
    case mean = 40
    case maximum = 55
    case minimum = 57
    case padWith = 60
    case quantize = 114
  }

  package struct Operator: Hashable, Sendable {
    package var code: Code
    /// Of the operator's definition, by its types and options.
    package var version: Int32 = 1
    package var options: Options
    /// Places in the list of tensors.
    package var inputs, outputs: [Int32]
  }

  /// A buffer with a name.
  package struct Metadata: Hashable, Sendable {
    package var name: String
    package var data: ArraySlice<UInt8>
  }

  package var name: String
  package var tensors: [Tensor] = []
  package var operators: [Operator] = []
  /// Places in the list of tensors.
  package var inputs: [Int32] = []
  package var outputs: [Int32] = []
  package var metadata: [Metadata] = []

  static let schemaVersion: Int32 = 3
  static let identifier = "TFL3"
}

extension TFLiteModel {
  /// What an operator is told besides its inputs: a table of the schema's union, its fields by name.
  package struct Options: Hashable, Sendable {
    package let kind: Kind
    package private(set) var values: [Field: Int32]

    init(_ kind: Kind, _ values: [Field: Int32] = [:]) {
      precondition(values.keys.allSatisfy { field in kind.columns.contains { $0.field == field } })
      self.kind = kind
      self.values = Dictionary(uniqueKeysWithValues: kind.columns.map { ($0.field, values[$0.field] ?? $0.standard) })
    }

    package subscript(field: Field) -> Int32 { values[field] ?? 0 }

    package enum Field: Hashable, Sendable {
      case padding, strideWidth, strideHeight, depthMultiplier, activation, dilationWidth, dilationHeight
      case filterWidth, filterHeight, axis, keepsAxes
    }

    struct Column {
      let field: Field
      let isByte: Bool
      let standard: Int32
    }

    /// The tables of the union, by their places in it.
    package enum Kind: UInt8, Hashable, Sendable {
      case none = 0
      case convolution = 1
      case depthwiseConvolution = 2
      case pool = 5
      case fullyConnected = 8
      case concatenation = 10
      case add = 11
      case reshape = 17
      case multiply = 21
      case pad = 22
      case transpose = 26
      case reducer = 27
      case dequantize = 38
      case maximumMinimum = 39
      case padWith = 43
      case quantize = 89

      /// The fields in the order of their slots.
      var columns: [Column] {
        func byte(_ field: Field) -> Column { Column(field: field, isByte: true, standard: 0) }
        func int(_ field: Field, standard: Int32 = 0) -> Column {
          Column(field: field, isByte: false, standard: standard)
        }
        return switch self {
        case .convolution:
          [
            byte(.padding), int(.strideWidth), int(.strideHeight), byte(.activation), int(.dilationWidth, standard: 1),
            int(.dilationHeight, standard: 1),
          ]
        case .depthwiseConvolution:
          [
            byte(.padding), int(.strideWidth), int(.strideHeight), int(.depthMultiplier), byte(.activation),
            int(.dilationWidth, standard: 1), int(.dilationHeight, standard: 1),
          ]
        case .pool:
          [
            byte(.padding), int(.strideWidth), int(.strideHeight), int(.filterWidth), int(.filterHeight),
            byte(.activation),
          ]
        case .concatenation: [int(.axis), byte(.activation)]
        case .fullyConnected, .add, .multiply: [byte(.activation)]
        case .reducer: [byte(.keepsAxes)]
        case .none, .reshape, .pad, .transpose, .dequantize, .maximumMinimum, .padWith, .quantize: []
        }
      }
    }
  }

  /// Where the zeros around an image come from.
  package enum Padding: Int32, Hashable, Sendable {
    /// TensorFlow's: `ceil(extent / stride)` places, the odd zero at the bottom and right.
    case same = 0
    /// None.
    case valid = 1
  }

  /// What an operator does to its output at once.
  package enum Activation: Int32, Hashable, Sendable {
    case none = 0
    case relu = 1
    case reluMinus1To1 = 2
    case relu6 = 3
  }
}

extension TFLiteModel.Operator {
  /// The first release of TensorFlow Lite that runs this operator as it is meant: as TensorFlow lists it by version, but
  /// dense layers on integers with a scale for each channel. That list takes them for version 4, 1.14.0; kernels
  /// before 2.10.0 read the first scale alone, and give wrong numbers.
  func runtime(in model: TFLiteModel) -> [Int] {
    switch (code, version) {
    case (.fullyConnected, 4)
    where inputs.count > 1 && (model.tensors[Int(inputs[1])].quantization?.scales.count ?? 0) > 1: [2, 10, 0]
    case (.convolution, 6): [2, 9, 0]
    case (.depthwiseConvolution, 2): [1, 12, 0]
    case (.logistic, _), (.tanh, _), (.maximum, _), (.minimum, _), (.quantize, _), (.dequantize, _): [1, 14, 0]
    case (.convolution, 3), (.depthwiseConvolution, 3), (.fullyConnected, 4): [1, 14, 0]
    case (.add, 2), (.concatenation, 2), (.maxPool, 2), (.averagePool, 2), (.mean, 2), (.pad, 2), (.padWith, 2),
      (.transpose, 2):
      [1, 14, 0]
    case (.padWith, _): [1, 9, 0]
    case (.mean, _), (.transpose, _): [1, 6, 0]
    default: [1, 5, 0]
    }
  }
}

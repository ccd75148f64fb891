import Networks
import Tensors
import Testing

@Suite("networks") struct NetworkTests {
  @Test(
    "a layer that does not fit says so by name",
    arguments: [
      (.dense(Dense(to: 10)), "layer 'bad': dense takes a vector, 3 x 8 x 8 was given; put a flatten before it"),
      (
        .convolution(Convolution(to: 16, Window(kernel: 9))),
        "layer 'bad': convolution with a kernel of 9 x 9 does not fit an image of 3 x 8 x 8"
      ),
      (
        .convolution(Convolution(to: 16, Window(kernel: 3), groups: 2)),
        "layer 'bad': 3 input and 16 output channels do not divide into 2 groups"
      ),
      (.add(Add()), "layer 'bad': add takes two inputs, 1 were given"),
      (
        .maxPool(MaxPool(Window(kernel: 2, padding: 2))),
        "layer 'bad': max pool needs padding smaller than its kernel"
      ),
      (
        .attention(Attention(heads: 1, grid: 8)),
        "layer 'bad': attention over 8 x 8 takes 65 tokens T x F, 3 x 8 x 8 was given"
      ),
      (.tokenMean(TokenMean()), "layer 'bad': token mean takes a class token and others, T x F, 3 x 8 x 8 was given"),
      (.dropout(Dropout(rate: 1)), "layer 'bad': a dropout rate is at least 0 and below 1, not 1.0"),
    ] as [(Networks.Operation, String)])
  func misfit(_ operation: Networks.Operation, _ words: String) {
    var network = Network("n", input: [3, 8, 8])
    let error = #expect(throws: ShapeError.self) { try network.append(operation, to: network.input, named: "bad") }
    #expect(error?.description == words)
    #expect(network.layers.count == 1)
  }

  @Test("two layers cannot have one name") func takenName() throws {
    var network = Network("n", input: [3, 8, 8])
    try network.append(.relu(ReLU()), to: network.input, named: "act")
    #expect(throws: ShapeError("the name is taken", layer: "act")) {
      try network.append(.relu(ReLU()), to: network.output, named: "act")
    }
  }

  @Test(
    "windows round down as PyTorch's do, and only convolutions, dense layers and attention have MACs",
    arguments: operationSamples)
  func cost(_ sample: OperationSample) throws {
    let rules = sample.operation.rules
    let output = try rules.outputShape(of: sample.inputs)
    switch sample.operation {
    case .convolution(let convolution):
      let perOutput = try #require(rules.parameters(of: sample.inputs).first).shape.sample.elementCount
      #expect(rules.macs(of: sample.inputs) == output.elementCount * perOutput)
      let down = Double(
        sample.inputs[0][1] + convolution.window.padding.top + convolution.window.padding.bottom
          - convolution.window.dilation.height * (convolution.window.kernel.height - 1) - 1)
      #expect(output[1] == Int((down / Double(convolution.window.stride.height)).rounded(.down)) + 1)
    case .dense: #expect(rules.macs(of: sample.inputs) == output.elementCount * sample.inputs[0].extents.last!)
    case .attention: #expect(rules.macs(of: sample.inputs) == 2 * output.elementCount * output[0])
    default: #expect(rules.macs(of: sample.inputs) == 0)
    }
  }

  @Test("padding as TensorFlow's SAME puts the odd zero at the bottom and right") func same() {
    let window = Window(kernel: 3, stride: 2)
    #expect(Padding.same([3, 224, 224], window: window) == Padding(top: 0, left: 0, bottom: 1, right: 1))
    #expect(Padding.same([3, 225, 225], window: window) == 1)
    #expect(Padding.same([3, 7, 7], window: Window(kernel: 1, stride: 2)) == 0)
  }

  @Test("a network prints as a line and as a table") func printing() throws {
    var network = Network("tiny", input: [3, 8, 8])
    let convolution = Convolution(
      to: 1200,
      Window(kernel: Extent(height: 3, width: 1), stride: 2, padding: Padding(top: 1, left: 0, bottom: 1, right: 0)))
    try network.append(.convolution(convolution), to: network.input, named: "conv1")
    try network.append(.batchNorm(BatchNorm()), to: network.output, named: "bn1")
    try network.append(.clip(.relu6), to: network.output, named: "act1")
    #expect("\(network)" == "tiny: 3 x 8 x 8 to 1200 x 4 x 4, 13,200 parameters, 172,800 MACs")
    #expect(
      network.table == """
        tiny   operation                                   output        parameters     MACs
        ------------------------------------------------------------------------------------
        input  input                                       3 x 8 x 8
        conv1  convolution 3x1, stride 2, padding 1 0 1 0  1200 x 4 x 4      10,800  172,800
        bn1    batch norm                                  1200 x 4 x 4       2,400
        act1   relu6                                       1200 x 4 x 4
        ------------------------------------------------------------------------------------
        total                                                                13,200  172,800
        0.05 MB (0.05 MiB) of parameters at 4 bytes each

        """)
  }

  @Test(
    "integers print in groups of three",
    arguments: [
      (0, "0"), (999, "999"), (1000, "1,000"), (-1000, "-1,000"), (138_357_544, "138,357,544"), (-999, "-999"),
    ])
  func grouped(_ number: Int, _ text: String) { #expect(number.grouped == text) }
}

import Foundation
import Interchange
import Networks
import Tensors
import Testing

@Suite("Weights from files of torch.save")
struct PyTorchWeightsTests {
  private func golden(_ name: String) -> String {
    ONNXWeightsTests.goldens.appending(path: name).path(percentEncoded: false)
  }

  @Test(
    "every type of number and every view is what torch.load gives, to the bit",
    arguments: [
      ("dtypes", "dtypes"), ("dtypes-big-endian", "dtypes"), ("views", "views"), ("views-old", "views"),
      ("views-protocol4", "views"), ("checkpoint", "checkpoint"),
    ])
  func torch(_ file: String, _ expected: String) throws {
    let read = try PyTorchWeights(reading: golden("\(file).pth")).weights
    let loaded = try SafeTensors(reading: golden("\(expected).safetensors")).weights
    #expect(Set(read.keys) == Set(loaded.keys))
    for (name, array) in loaded {
      #expect(read[name]?.shape == array.shape, "\(name)")
      // A nan of eight or sixteen bits may become one of several.
      let bits = read[name]?.elements.map { $0.isNaN ? Float.nan.bitPattern : $0.bitPattern }
      #expect(bits == array.elements.map { $0.isNaN ? Float.nan.bitPattern : $0.bitPattern }, "\(name)")
    }
  }

  @Test("safetensors files hold floats of eight bits too") func float8() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path(percentEncoded: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let expected = try SafeTensors(reading: golden("dtypes.safetensors")).weights
    for (type, name) in [
      ("F8_E4M3", "float8_e4m3fn"), ("F8_E5M2", "float8_e5m2"), ("F8_E4M3FNUZ", "float8_e4m3fnuz"),
      ("F8_E5M2FNUZ", "float8_e5m2fnuz"), ("F8_E8M0", "float8_e8m0fnu"),
    ] {
      let header = Array(#"{"a":{"dtype":"\#(type)","shape":[256],"data_offsets":[0,256]}}"#.utf8)
      let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
      try Data(length + header + Array(0...255)).write(to: URL(filePath: path))
      let read = try #require(try SafeTensors(reading: path).weights["a"])
      let floats = try #require(expected[name])
      for (a, b) in zip(read.elements, floats.elements) { #expect(a.isNaN ? b.isNaN : a.bitPattern == b.bitPattern) }
    }
  }

  @Test("a checkpoint gives its weights, on request those of its average, and tells what else it has")
  func checkpoints() throws {
    let file = try PyTorchWeights(reading: golden("checkpoint.pth"))
    #expect(file.entry == "state_dict" && file.otherEntries == ["model_ema"])
    let average = try PyTorchWeights(reading: golden("checkpoint.pth"), entry: "model_ema")
    #expect(average.entry == "model_ema" && average.otherEntries == ["state_dict"])
    let expected = try SafeTensors(reading: golden("checkpoint-ema.safetensors")).weights
    #expect(average.weights == expected)
    #expect(average.weights != file.weights)
    let path = golden("checkpoint.pth")
    #expect(throws: PyTorchError.entry(path: path, asked: "optimizer", found: ["state_dict", "model_ema"])) {
      try PyTorchWeights(reading: path, entry: "optimizer")
    }
  }

  @Test("a network takes them, without what a wrapper put before each name", arguments: [nil, "model_ema"])
  func network(_ entry: String?) throws {
    var network = Network("net", input: [1, 4, 4])
    let window = Window(kernel: 3)
    var x = try network.append(.convolution(Convolution(to: 2, window)), to: network.input, named: "conv1")
    x = try network.append(.relu(ReLU()), to: network.append(.batchNorm(BatchNorm()), to: x, named: "bn1"))
    x = try network.append(.flatten(Flatten()), to: network.append(.globalAveragePool(GlobalAveragePool()), to: x))
    try network.append(.dense(Dense(to: 4)), to: x, named: "fc")
    let found = try WeightsFile.read(golden("checkpoint.pth"), for: network, entry: entry)
    #expect(found.prefix == "module." && found.entry == entry ?? "state_dict" && found.otherEntries.count == 1)
    #expect(found.weights.count == network.parameters.count)
    let safe = golden("checkpoint.safetensors")
    #expect(try WeightsFile.read(safe, for: network).weights.count == network.parameters.count)
    #expect(throws: InterchangeError.noEntries(path: safe)) { try WeightsFile.read(safe, for: network, entry: "ema") }
  }

  // MARK: Files made here

  /// The older form, of one object.
  private static func old(_ object: [UInt8], keys: [UInt8] = [0x5D], data: [UInt8] = []) -> [UInt8] {
    func pickle(_ code: [UInt8]) -> [UInt8] { [0x80, 2] + code + [0x2E] }
    let magic: [UInt8] = [0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    return pickle(magic) + pickle([0x4D, 0xE9, 0x03]) + pickle([0x7D]) + pickle(object) + pickle(keys) + data
  }
  private static func text(_ text: String) -> [UInt8] { [0x58, UInt8(text.utf8.count), 0, 0, 0] + Array(text.utf8) }
  private static func name(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
  private static func number(_ number: Int) -> [UInt8] { [0x8A, 8] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
  private static func tuple(_ numbers: [Int]) -> [UInt8] { [0x28] + numbers.flatMap(number) + [0x74] }

  /// A state dict of one tensor `a`, as PyTorch wrote it in its first years: with a part of a storage, if any.
  private static func tensor(
    _ extents: [Int], _ strides: [Int], at offset: Int = 0, of count: Int = 4, part: [Int]? = nil
  ) -> [UInt8] {
    let view = part.map { [0x28] + text("9") + number($0[0]) + number($0[1]) + [0x74] } ?? [0x4E]
    let storage =
      [0x28] + text("storage") + name("torch", "FloatStorage") + text("1") + text("cpu") + number(count) + view + [0x74, 0x51]
    return [0x7D] + text("a") + name("torch._utils", "_rebuild_tensor") + [0x28] + storage + number(offset)
      + tuple(extents) + tuple(strides) + [0x74, 0x52, 0x73]
  }
  private static let keys: [UInt8] = [0x5D] + text("1") + [0x61]
  /// Four floats behind their number: 1, 2, 3, 4.
  private static let floats: [UInt8] =
    [4, 0, 0, 0, 0, 0, 0, 0] + [1, 2, 3, 4].flatMap { (x: Float) in withUnsafeBytes(of: x.bitPattern.littleEndian) { Array($0) } }

  private func read(_ bytes: [UInt8], entry: String? = nil) throws -> PyTorchWeights {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path(percentEncoded: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(bytes).write(to: URL(filePath: path))
    return try PyTorchWeights(reading: path, entry: entry)
  }

  @Test("the first years' files hold parts of storages")
  func parts() throws {
    let file = try read(Self.old(Self.tensor([2], [1], at: 1, part: [1, 3]), keys: Self.keys, data: Self.floats))
    #expect(file.weights["a"]?.elements == [3, 4])
    #expect(file.entry == "")
  }

  @Test("sizes that lie are refused before memory is taken", arguments: [
    ([2, 2], [2, 1], 1, 4, "looks outside of its storage of 4"), ([2], [-1], 1, 4, "looks outside"),
    ([2], [Int.max], 0, 4, "looks outside"), ([1], [1], -1, 4, "looks outside"), ([1], [1], .max, 4, "looks outside"),
    ([3], [.max / 2], 3, 4, "looks outside"), ([5], [1], 0, 5, "a storage of 5 elements, the file has 16 bytes"),
    ([1], [1], 0, .max, "a storage of \(Int.max) elements"), ([1 << 40], [0], 0, 4, "more than the file can mean"),
    ([1 << 40, 1 << 40], [0, 0], 0, 4, "has the shape"), ([-1], [1], 0, 4, "has the shape"),
    ([1 << 20, 0, 1 << 50], [0, 0, 0], 0, 4, "has the shape"),
    ([Int](repeating: 1, count: 65), [Int](repeating: 1, count: 65), 0, 4, "has the shape"),
  ] as [([Int], [Int], Int, Int, String)])
  func lies(_ extents: [Int], _ strides: [Int], _ offset: Int, _ count: Int, _ problem: String) throws {
    let bytes = Self.old(Self.tensor(extents, strides, at: offset, of: count), keys: Self.keys, data: Self.floats)
    #expect {
      try read(bytes)
    } throws: { error in
      if case .file(.malformed(_, let text))? = error as? PyTorchError { text.contains(problem) } else { false }
    }
  }

  @Test("strides of axes with one element mean nothing, however large") func idleStrides() throws {
    let bytes = Self.old(Self.tensor([1, 2, 1], [.max, 2, .max]), keys: Self.keys, data: Self.floats)
    #expect(try read(bytes).weights["a"]?.elements == [1, 3])
  }

  @Test("what tensors have no need of is refused by its name, and not run", arguments: [
    (name("posix", "system") + text("true") + [0x85, 0x52], "'posix.system'"),
    (name("builtins", "eval"), "'builtins.eval'"), (name("torch.nn.modules.conv", "Conv2d"), "'torch.nn.modules.conv.Conv2d'"),
    (name("torch._utils", "_rebuild_sparse_tensor"), "'torch._utils._rebuild_sparse_tensor'"),
    (name("torch", "QInt8Storage"), "'torch.QInt8Storage'"),
    (text("os") + text("system") + [0x93], "'os.system'"), ([0x28, 0x69], "INST"), ([0x4E, 0x32], "DUP"), ([0x82, 1], "EXT1"),
    ([0x28] + text("module") + [0x74, 0x51], "the code of a module"),
  ] as [([UInt8], String)])
  func refused(_ code: [UInt8], _ what: String) throws {
    #expect {
      try read(Self.old(code))
    } throws: { error in
      if case .refused(_, let found, _)? = error as? PyTorchError { found.contains(what) } else { false }
    }
  }

  @Test("lists and dictionaries that hold themselves, and deep nests, are answered") func cycles() throws {
    // d = {}; d["model"] = d; d["a"] = [d, …]
    let cycle: [UInt8] = [0x7D, 0x71, 1] + Self.text("model") + [0x68, 1, 0x73]
    #expect(throws: PyTorchError.self) { try read(Self.old(cycle)) }
    let within = [0x7D, 0x71, 1] + Self.text("model") + [0x68, 1, 0x73] + Self.text("net") + Self.tensor([2], [1]) + [0x73]
    let file = try read(Self.old(within, keys: Self.keys, data: Self.floats))
    #expect(file.entry == "net" && file.weights["a"]?.elements == [1, 2])
    // [[[[…]]]], a million deep, and as many marks.
    let deep = [UInt8](repeating: 0x5D, count: 1_000_000) + [UInt8](repeating: 0x61, count: 999_999)
    #expect(throws: PyTorchError.self) { try read(Self.old(deep)) }
    #expect(throws: PyTorchError.self) { try read(Self.old([UInt8](repeating: 0x28, count: 1_000_000))) }
  }

  @Test("of several networks without usual names none is taken") func several() throws {
    func entry(_ name: String) -> [UInt8] { Self.text(name) + Self.tensor([2], [1]) + [0x73] }
    let bytes = Self.old([0x7D] + entry("left") + entry("right"), keys: Self.keys, data: Self.floats)
    #expect {
      try read(bytes)
    } throws: { error in
      if case .entry(_, nil, ["left", "right"])? = error as? PyTorchError { true } else { false }
    }
    #expect(try read(bytes, entry: "right").weights["a"]?.elements == [1, 2])
  }

  @Test("an archive that is packed, holds a name twice, or is another's is refused", arguments: [
    ("packed", "is packed"), ("twice", "comes twice"), ("order", "order of bytes is 'middle'"), ("lacks", "lacks 'm/data/0'"),
    ("cut", "its end is missing"), ("other", "no archive of PyTorch"),
  ])
  func archives(_ change: String, _ problem: String) throws {
    // {"a": a tensor of storage "0"} in the newer form.
    let storage =
      [0x28] + Self.text("storage") + Self.name("torch", "FloatStorage") + Self.text("0") + Self.text("cpu")
      + Self.number(4) + [0x74, 0x51]
    let object =
      [0x80, 2, 0x7D] + Self.text("a") + Self.name("torch._utils", "_rebuild_tensor_v2") + [0x28] + storage + Self.number(0)
      + Self.tuple([4]) + Self.tuple([1]) + [0x89, 0x4E, 0x74, 0x52, 0x73, 0x2E]
    var files: [(String, [UInt8], packed: Bool)] = [
      ("m/data.pkl", object, false), ("m/byteorder", Array("little".utf8), false),
      ("m/data/0", Array(Self.floats.dropFirst(8)), false),
    ]
    #expect(try read(archive(files)).weights["a"]?.elements == [1, 2, 3, 4])
    switch change {
    case "packed": files[2].packed = true
    case "twice": files.append(files[2])
    case "order": files[1].1 = Array("middle".utf8)
    case "lacks": files.removeLast()
    case "other": files[0].0 = "m/other.pkl"
    default: break
    }
    let bytes = archive(files)
    #expect {
      try read(change == "cut" ? Array(bytes.dropLast(40)) : bytes)
    } throws: { error in "\(error)".contains(problem) }
  }

  @Test("no change of a byte and no cut ends the process", arguments: ["views.pth", "views-old.pth", "checkpoint.pth"])
  func damage(_ file: String) throws {
    let bytes = Array(try Data(contentsOf: URL(filePath: golden(file))))
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path(percentEncoded: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    // Each byte by one change takes ten seconds.
    for place in stride(from: 0, to: bytes.count, by: 5) {
      var damaged = bytes
      damaged[place] ^= [1, 0x80, 0xFF][place % 3]
      try Data(damaged).write(to: URL(filePath: path))
      _ = try? PyTorchWeights(reading: path)
      guard place % 4 == 0 else { continue }
      try Data(bytes[..<place]).write(to: URL(filePath: path))
      #expect(throws: PyTorchError.self) { try PyTorchWeights(reading: path) }
    }
  }
}

/// A zip archive; what is packed is only said to be.
private func archive(_ files: [(String, [UInt8], packed: Bool)]) -> [UInt8] {
  func two(_ number: Int) -> [UInt8] { [UInt8(number & 0xFF), UInt8(number >> 8)] }
  func four(_ number: Int) -> [UInt8] { two(number & 0xFFFF) + two(number >> 16) }
  var archive: [UInt8] = []
  var directory: [UInt8] = []
  for (name, bytes, packed) in files {
    let facts =
      two(20) + two(0) + two(packed ? 8 : 0) + four(0) + four(0) + four(bytes.count) + four(bytes.count)
      + two(name.utf8.count) + two(0)
    directory +=
      Array("PK\u{1}\u{2}".utf8) + two(20) + facts + two(0) + two(0) + two(0) + four(0) + four(archive.count) + Array(name.utf8)
    archive += Array("PK\u{3}\u{4}".utf8) + facts + Array(name.utf8) + bytes
  }
  return archive + directory + Array("PK\u{5}\u{6}".utf8) + two(0) + two(0) + two(files.count) + two(files.count)
    + four(directory.count) + four(archive.count) + two(0)
}

import Charts
import CZlib
import Datasets
import Foundation
import Interchange
import Networks
import Script
import Synchronization
import Tensors
import Training

/// Something that takes any bytes and answers, or throws; never more. A new reader is one line in the list.
struct FuzzTarget: Sendable {
  let name: String
  /// Takes an input. What it throws is an answer.
  let run: @Sendable ([UInt8]) throws -> Void

  static let all = [
    FuzzTarget("lexer") { bytes in
      var lexer = Lexer(try Source(validating: bytes, name: "fuzz"))
      _ = lexer.tokens()
    },
    FuzzTarget("parser") { bytes in
      let (_, errors, _) = Parser.parse(try Source(validating: bytes, name: "fuzz"))
      if !errors.isEmpty { _ = DiagnosticRenderer().render(ScriptFailure(errors, stage: .check)) }
    },
    FuzzTarget("checker") { bytes in
      let session = Session(library: Library(), output: Silence(), scripts: .none)
      let errors = session.check(try Source(validating: bytes, name: "fuzz"))
      if !errors.isEmpty { _ = DiagnosticRenderer().render(ScriptFailure(errors, stage: .check)) }
      _ = session.completions(in: String(decoding: bytes, as: UTF8.self), at: bytes.count / 2)
    },
    FuzzTarget("formatter") { bytes in
      let source = try Source(validating: bytes, name: "fuzz")
      do throws(FormatError) {
        let text = try Formatter.format(source)
        let again = try Formatter.format(Source(text, name: "fuzz"))
        precondition(again == text, "what is laid out stays as it is")
      } catch {
        if case .changed = error { preconditionFailure("a layout changes what a script says") }
      }
    },
    FuzzTarget("interpreter") { bytes in
      let source = try Source(validating: bytes, name: "fuzz")
      let session = Session(library: Library(), output: Silence(), interruption: Interruption(), environment: [:], scripts: .none)
      do throws(ScriptFailure) {
        let outcome = try Watchdog.shared.run(for: .milliseconds(20), session.interruption) { () throws(ScriptFailure) in
          try session.run(source)
        }
        _ = outcome.value.map { "\($0)" }
      } catch {
        _ = DiagnosticRenderer().render(error)
      }
    },
    FuzzTarget("safetensors", file: "a.safetensors") { path in
      _ = try? SafeTensors.entries(of: path)
      _ = try SafeTensors(reading: path)
    },
    FuzzTarget("npy", file: "a.npy") { path in
      _ = try? NPY.read(path, as: Int64.self)
      _ = try NPY.read(path)
    },
    FuzzTarget("onnx", file: "a.onnx") { path in _ = try ONNXWeights(reading: path) },
    FuzzTarget("pytorch", file: "a.pth") { path in _ = try PyTorchWeights(reading: path) },
    FuzzTarget("weights", file: "a") { path in
      var network = Network("fuzz", input: [2, 3, 3])
      let x = try network.append(.convolution(Convolution(to: 2, Window(kernel: 1))), to: network.input, named: "a")
      _ = try network.append(.batchNorm(BatchNorm()), to: x, named: "b")
      _ = try WeightsFile.read(path, for: network)
    },
    FuzzTarget("tflite") { bytes in _ = try TFLiteModel(reading: bytes) },
    FuzzTarget("checkpoint", file: "a.safetensors") { path in _ = try Checkpoint(reading: path) },
    // Plain, and as it is under the name of a packed file.
    FuzzTarget("idx", Scratch("idx")) { bytes, scratch in
      for ending in ["", ".gz"] { try readIDX(bytes, in: scratch, ending: ending) { $0 } }
    },
    FuzzTarget("idx-gzip", Scratch("idx-gzip")) { bytes, scratch in
      try readIDX(bytes, in: scratch, ending: ".gz", packed: gzip)
    },
    FuzzTarget("png-text") { bytes in
      // As it is, and as the contents of chunks whose checksums are right.
      for file in [bytes, png(chunksOf: bytes)] {
        for text in (try? PNG.texts(in: file)) ?? [] { _ = try? PNG.adding([text], to: file) }
      }
    },
    FuzzTarget("chart") { bytes in
      let text = TextChunk(Chart.dataKeyword, String(decoding: bytes, as: UTF8.self))
      let chart = try Chart(png: PNG.adding([text], to: png(chunksOf: [])))
      _ = chart.tabSeparated
      // What an image claims to be is drawn again by `redraw`; a small one, so that many are tried.
      let sides = 0...1000
      if sides.contains(chart.width), sides.contains(chart.height) { _ = try chart.render(typeface: .builtIn) }
    },
    FuzzTarget("image", Scratch("image")) { bytes, scratch in
      for name in ["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"] { try scratch.write(bytes, name) }
      let data = try Dataset.imageFolder(
        at: scratch.folder, height: 8, width: 8, validationShare: 0.5, isOriented: true)
      _ = try data.train.image(at: 0)
    },
    // Tar files of ImageNet's, of images and of tar files, and files of labels.
    FuzzTarget("imagenet", Scratch("imagenet")) { bytes, scratch in
      try scratch.write(bytes, "i-val-0.tar")
      let data = try Dataset.imageNet(at: scratch.folder, size: 8, cacheFolder: nil)
      _ = try data.validation.image(at: 0)
    },
    FuzzTarget("imagenet-train", Scratch("imagenet-train")) { bytes, scratch in
      try scratch.write([], "val/n00000001/a.png")
      try scratch.write(bytes, "ILSVRC2012_img_train.tar")
      let data = try Dataset.imageNet(at: scratch.folder, size: 8, cacheFolder: nil)
      _ = try data.train.image(at: 0)
    },
    FuzzTarget("imagenet-labels", Scratch("imagenet-labels")) { bytes, scratch in
      for name in ["val/a.jpg", "val/b.jpg"] { try scratch.write([], name) }
      for name in ["val.txt", "synset_labels.txt", "LOC_val_solution.csv", "map_clsloc.txt"] {
        try scratch.write(bytes, name)
        defer { scratch.remove(name) }
        if name.hasPrefix("map") { try scratch.write(bytes, "ILSVRC2012_validation_ground_truth.txt") }
        _ = try? Dataset.imageNet(at: scratch.folder, size: 8, cacheFolder: nil)
      }
      scratch.remove("ILSVRC2012_validation_ground_truth.txt")
    },
  ]

  init(_ name: String, _ run: @escaping @Sendable ([UInt8]) throws -> Void) { (self.name, self.run) = (name, run) }

  /// A reader of one file.
  init(_ name: String, file: String, _ read: @escaping @Sendable (String) throws -> Void) {
    self.init(name, Scratch(name)) { bytes, scratch in
      try scratch.write(bytes, file)
      try read(scratch.folder + "/" + file)
    }
  }

  /// A reader of several files.
  init(_ name: String, _ scratch: Scratch, _ run: @escaping @Sendable ([UInt8], Scratch) throws -> Void) {
    self.init(name) { try run($0, scratch) }
  }
}

/// A folder for one target of one process. `TMPDIR` says where.
struct Scratch: Sendable {
  let folder: String

  init(_ name: String) {
    folder = NSTemporaryDirectory() + "/reprise-fuzz-\(getpid())-\(name)"
  }

  func write(_ bytes: [UInt8], _ name: String) throws {
    let path = folder + "/" + name
    for _ in 0..<2 {
      let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
      if file >= 0 {
        defer { close(file) }
        guard Foundation.write(file, bytes, bytes.count) == bytes.count else { throw CocoaError(.fileWriteUnknown) }
        return
      }
      try FileManager.default.createDirectory(
        atPath: URL(filePath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
    }
    throw CocoaError(.fileWriteUnknown)
  }

  func remove(_ name: String) { unlink(folder + "/" + name) }
}

/// Reads the files of MNIST. An input is the length of the labels' file in two bytes, that file, and the images' file.
private func readIDX(_ bytes: [UInt8], in scratch: Scratch, ending: String, packed: ([UInt8]) -> [UInt8]) throws {
  let count = bytes.prefix(2).reduce(0) { $0 << 8 | Int($1) }
  let parts = [
    ("labels-idx1-ubyte", bytes.dropFirst(2).prefix(count)), ("images-idx3-ubyte", bytes.dropFirst(2 + count)),
  ]
  let files = parts.flatMap { name, part in
    ["train-", "t10k-"].map { (name: $0 + name + ending, bytes: packed(Array(part))) }
  }
  defer { for file in files { scratch.remove(file.name) } }
  for file in files { try scratch.write(file.bytes, file.name) }
  _ = try? Dataset.idx(at: scratch.folder, name: "fuzz", classes: ["a", "b", "c"])
}

/// A gzip file of these bytes.
private func gzip(_ bytes: [UInt8]) -> [UInt8] {
  var stream = z_stream()
  // 15 bits of window, 16 for gzip; the least memory, since time is what counts.
  guard deflateInit2_(&stream, 1, Z_DEFLATED, 15 + 16, 1, Z_FIXED, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
  else { return [] }
  defer { deflateEnd(&stream) }
  var input = bytes
  return input.withUnsafeMutableBufferPointer { input in
    [UInt8](unsafeUninitializedCapacity: Int(deflateBound(&stream, UInt(input.count)))) { output, count in
      (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
      (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(output.count))
      _ = deflate(&stream, Z_FINISH)
      count = output.count - Int(stream.avail_out)
    }
  }
}

/// A PNG file of chunks that are written as a type of four bytes, a length of two, and so many bytes.
private func png(chunksOf bytes: [UInt8]) -> [UInt8] {
  func number(_ value: UInt32) -> [UInt8] { stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) } }
  func chunk(_ body: [UInt8]) -> [UInt8] { number(UInt32(body.count - 4)) + body + number(PNG.checksum(body)) }
  var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
  file += chunk(Array("IHDR".utf8) + [0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0])
  var rest = bytes[...]
  while rest.count >= 6 {
    let type = Array(rest.prefix(4))
    let count = Int(rest[rest.startIndex + 4]) << 8 | Int(rest[rest.startIndex + 5])
    rest = rest.dropFirst(6)
    file += chunk(type + rest.prefix(count))
    rest = rest.dropFirst(count)
  }
  return file + chunk(Array("IEND".utf8))
}

private struct Silence: ScriptOutput {
  func print(_ text: String) {}
}

/// Interrupts scripts that come to no end. One thread serves all of them.
private final class Watchdog: Sendable {
  static let shared = Watchdog()

  private struct Watch {
    let interruption: Interruption
    let end: ContinuousClock.Instant
  }
  private let watch = Mutex<Watch?>(nil)

  private init() {
    Thread { [self] in
      while true {
        usleep(5000)
        watch.withLock { if let watch = $0, watch.end < .now { watch.interruption.raise() } }
      }
    }.start()
  }

  /// Does a job that asks an interruption whether to stop.
  func run<Result>(
    for time: Duration, _ interruption: Interruption, _ job: () throws(ScriptFailure) -> Result
  ) throws(ScriptFailure) -> Result {
    watch.withLock { $0 = Watch(interruption: interruption, end: .now + time) }
    defer { watch.withLock { $0 = nil } }
    return try job()
  }
}

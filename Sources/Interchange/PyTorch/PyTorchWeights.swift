public import Tensors

/// The weights in a file of `torch.save`: a state dict, or a checkpoint that holds one.
///
/// Both forms are read, the zip archive of PyTorch 1.6 and later and the row of pickles before it, and every dtype of
/// real numbers. What was a view of a larger storage, with any strides, is read as what it showed. Numbers become 32-bit
/// floats, the same to the bit as `tensor.float()` of what `torch.load` gives.
///
/// A pickle is a program; here it is only taken apart: see `PickleReader`. Nothing that a file says is believed.
///
///     let file = try PyTorchWeights(reading: "checkpoint.pth")
///     file.entry                                  // "state_dict"
///     file.weights["fc.weight"]?.shape            // 1000 x 2048
///
/// Source: PyTorch 2.15, `torch/serialization.py`.
public struct PyTorchWeights: Sendable {
  public let weights: Weights
  /// The names that lead to the weights in a checkpoint, with dots between them; empty where the file is the state dict.
  public let entry: String
  /// The other entries that hold tensors by name.
  public let otherEntries: [String]

  /// Reads a file.
  /// - Parameter entry: which entry of a checkpoint; without it the one that there is, and of several the one that is
  ///   called as weights usually are, a moving average last.
  /// - Throws: `PyTorchError`.
  public init(reading path: String, entry: String? = nil) throws(PyTorchError) {
    let file: InputFile
    do throws(TensorError) { file = try InputFile(path) } catch { throw .file(error) }
    let head: [UInt8]
    do throws(TensorError) { head = try file.bytes(at: 0, count: min(file.byteCount, 2)) } catch { throw .file(error) }
    let contents = try head == Array("PK".utf8) ? Contents(archive: file) : Contents(pickles: file)
    let found = contents.entries()
    let names = found.map(\.name)
    guard let chosen = entry.map({ entry in found.first { $0.name == entry } }) ?? Self.chosen(of: found) else {
      throw .entry(path: path, asked: entry, found: names)
    }
    self.entry = chosen.name
    otherEntries = names.filter { $0 != chosen.name }
    do throws(TensorError) { weights = try contents.weights(chosen.dictionary, of: file) } catch { throw .file(error) }
  }

  /// What weights are called in checkpoints; those of moving averages last.
  private static let usualNames = [
    "state_dict", "model", "model_state_dict", "model_state", "net", "network", "module", "weights", "params",
    "state_dict_ema", "model_ema", "model_state_dict_ema", "ema_state_dict", "ema_model", "ema_net", "ema",
    "params_ema",
  ]

  /// The only entry; else of those with usual names the one that comes first in their list, the shallowest before; else
  /// the file itself where it holds tensors.
  private static func chosen(of entries: [Contents.Entry]) -> Contents.Entry? {
    if entries.count == 1 { return entries[0] }
    let ranked = entries.compactMap { entry -> (rank: [Int], entry: Contents.Entry)? in
      let parts = entry.path.map { usualNames.firstIndex(of: $0) }
      guard !parts.isEmpty, parts.allSatisfy({ $0 != nil }) else { return nil }
      return ([parts.count] + parts.map { $0! }, entry)
    }
    return ranked.min { $0.rank.lexicographicallyPrecedes($1.rank) }?.entry ?? entries.first { $0.path.isEmpty }
  }
}

/// What a file's pickle made, and where its storages lie.
private struct Contents {
  /// A dictionary that holds tensors by name.
  struct Entry {
    let path: [String]
    let dictionary: Int
    var name: String { path.joined(separator: ".") }
  }

  private let pickle: PickleReader
  private let root: PickleReader.Value
  /// Where the bytes of each storage lie in the file, by its key.
  private let storages: [String: Range<Int>]
  private let isBigEndian: Bool

  /// Pickles are made of names and sizes; longer ones are refused.
  private static let longestPickle = 1 << 25

  /// The form of PyTorch 1.6 and later: an archive of `data.pkl`, a file for each storage, and the order of bytes.
  init(archive file: borrowing InputFile) throws(PyTorchError) {
    let archive: Archive
    let bytes: [UInt8]
    do throws(TensorError) {
      archive = try Archive(of: file)
      bytes = try archive.bytes("data.pkl", atMost: Self.longestPickle, of: file) ?? []
    } catch { throw .file(error) }
    guard !archive.isProgram else { throw .program(path: file.path) }
    var pickle = PickleReader(bytes)
    do throws(PickleReader.Problem) { root = try pickle.next() } catch { throw PyTorchError(error, in: file.path) }
    do throws(TensorError) {
      isBigEndian = try archive.isBigEndian(file)
      var storages: [String: Range<Int>] = [:]
      for storage in pickle.storages where storages[storage.key] == nil {
        storages[storage.key] = try archive.storage(storage.key, of: file)
      }
      self.storages = storages
    } catch { throw .file(error) }
    self.pickle = pickle
  }

  /// The form before: five pickles (a magic number, a version, facts about the machine, the object, the keys of its
  /// storages), then each storage behind the number of its elements, always the lowest byte first.
  init(pickles file: borrowing InputFile) throws(PyTorchError) {
    let keys: PickleReader.Value
    (pickle, root, keys) = try Self.pickles(of: file)
    do throws(TensorError) { storages = try Self.storages(keys, pickle, of: file) } catch { throw .file(error) }
    isBigEndian = false
  }

  private static func pickles(
    of file: borrowing InputFile
  ) throws(PyTorchError) -> (PickleReader, root: PickleReader.Value, keys: PickleReader.Value) {
    let most = min(file.byteCount, longestPickle)
    // How long the pickles are is not known before they are read.
    var count = min(most, 1 << 16)
    while true {
      let bytes: [UInt8]
      do throws(TensorError) { bytes = try file.bytes(at: 0, count: count) } catch { throw .file(error) }
      var pickle = PickleReader(bytes)
      do throws(PickleReader.Problem) {
        guard try pickle.next() == .long([0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]) else {
          throw PickleReader.Problem.malformed("it is not one of torch.save", at: 0)
        }
        guard try pickle.next() == .integer(1001) else {
          throw PickleReader.Problem.malformed("its version is not known", at: pickle.place)
        }
        _ = try pickle.next()
        let root = try pickle.next()
        let keys = try pickle.next()
        return (pickle, root, keys)
      } catch {
        guard case .endsEarly = error, count < most else { throw PyTorchError(error, in: file.path) }
        count = min(most, 8 * count)
      }
    }
  }

  /// Where the storages of the older form lie, whose keys are a list in the order of the file.
  private static func storages(
    _ keys: PickleReader.Value, _ pickle: PickleReader, of file: borrowing InputFile
  ) throws(TensorError) -> [String: Range<Int>] {
    let path = file.path
    func malformed(_ problem: String) -> TensorError { .malformed(path: path, problem: problem) }
    guard case .list(let list) = keys else { throw malformed("its last pickle is no list of storages") }
    let sizes = Dictionary(pickle.storages.map { ($0.key, $0.elementByteCount) }, uniquingKeysWith: { first, _ in first })
    var storages: [String: Range<Int>] = [:]
    var place = pickle.place
    for key in pickle.sequences[list] {
      guard case .text(let key) = key, let size = sizes[key] else { throw malformed("no tensor lies in one of its storages") }
      guard file.byteCount - place >= 8 else { throw malformed("it ends before its storage '\(key.shown)'") }
      let number = try file.bytes(at: place, count: 8).reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      let (byteCount, overflow) = Int(clamping: number).multipliedReportingOverflow(by: size)
      place += 8
      guard !overflow, byteCount <= file.byteCount - place else {
        throw malformed("its storage '\(key.shown)' has \(number) elements at byte \(place), the file \(file.byteCount) bytes")
      }
      guard storages.updateValue(place..<place + byteCount, forKey: key) == nil else {
        throw malformed("its storage '\(key.shown)' comes twice")
      }
      place += byteCount
    }
    return storages
  }

  /// The dictionaries that hold tensors by name, the shallowest first; those under names that nobody types are left out.
  func entries() -> [Entry] {
    guard case .dictionary(let dictionary) = root else { return [] }
    var seen: Set = [dictionary]
    var queue = [Entry(path: [], dictionary: dictionary)]
    var found: [Entry] = []
    var next = 0
    while next < queue.count {
      let entry = queue[next]
      next += 1
      let items = pickle.dictionaries[entry.dictionary]
      if items.contains(where: { if case (.text, .tensor) = ($0.key, $0.value) { true } else { false } }) {
        found.append(entry)
      }
      guard entry.path.count < Self.deepest else { continue }
      for (key, value) in items {
        guard case .text(let name) = key, name.shown == name, case .dictionary(let inner) = value,
          seen.insert(inner).inserted
        else { continue }
        queue.append(Entry(path: entry.path + [name], dictionary: inner))
      }
    }
    return found
  }

  /// No checkpoint holds weights deeper.
  private static let deepest = 4

  /// The tensors of a dictionary by their names. What else it holds is passed over, as counters are.
  func weights(_ dictionary: Int, of file: borrowing InputFile) throws(TensorError) -> Weights {
    var weights = Weights()
    // Views may show one element many times, and many views one storage: so a small file could ask for any memory.
    var left = max(1 << 24, 2 * file.byteCount)
    for (key, value) in pickle.dictionaries[dictionary] {
      guard case .text(let name) = key, case .tensor(let place) = value else { continue }
      weights[name] = try tensor(pickle.tensors[place], named: name, of: file, &left)
    }
    return weights
  }

  /// - Parameter left: how many elements may still be made.
  private func tensor(
    _ view: PickleReader.Strided, named name: String, of file: borrowing InputFile, _ left: inout Int
  ) throws(TensorError) -> Tensor {
    let path = file.path
    func malformed(_ problem: String) -> TensorError { .malformed(path: path, problem: "'\(name.shown)' \(problem)") }
    guard view.extents.count <= 64, let shape = Shape(checking: view.extents) else {
      throw malformed("has the shape \(view.extents.prefix(64))")
    }
    guard shape.elementCount <= left else { throw malformed("is \(shape): more than the file can mean") }
    left -= shape.elementCount
    guard shape.elementCount > 0 else { return try Tensor(zeros: shape) }

    let storage = pickle.storages[view.storage]
    guard let bytes = storages[storage.key] else { throw malformed("lies in no storage of the file") }
    let (end, overflow) = (storage.begin + storage.count).multipliedReportingOverflow(by: storage.elementByteCount)
    guard !overflow, end <= bytes.count else {
      throw malformed("lies in a storage of \(storage.count) elements, the file has \(bytes.count) bytes of it")
    }
    let size = view.type.byteCount
    let begin = storage.begin * storage.elementByteCount
    let available = (end - begin) / size
    func outside() -> TensorError {
      malformed("of \(shape), strides \(view.strides) from \(view.offset) on, looks outside of its storage of \(available)")
    }
    var last = view.offset
    guard last >= 0 else { throw outside() }
    var (isDense, dense) = (true, 1)
    for (extent, stride) in zip(view.extents, view.strides).reversed() where extent > 1 {
      let (reach, isFar) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (sum, isOver) = last.addingReportingOverflow(reach)
      guard stride >= 0, !isFar, !isOver else { throw outside() }
      last = sum
      isDense = isDense && stride == dense
      dense *= extent
    }
    guard last < available else { throw outside() }
    let place = bytes.lowerBound + begin + view.offset * size
    if isDense {
      var tensor = try Tensor(zeros: shape)
      try view.type.read(file, at: place, isBigEndian: isBigEndian, into: &tensor)
      return tensor
    }
    var all = try Tensor(zeros: [last - view.offset + 1])
    try view.type.read(file, at: place, isBigEndian: isBigEndian, into: &all)
    return try all.strided(view.strides, shape: shape)
  }
}

extension PickleReader.Storage {
  fileprivate var elementByteCount: Int { type?.byteCount ?? 1 }
}

/// The archive of the newer form.
private struct Archive {
  private let directory: ZipDirectory
  /// All files lie below a folder that is called as the file once was; with its slash.
  private let folder: String

  init(of file: borrowing InputFile) throws(TensorError) {
    directory = try ZipDirectory(of: file)
    let ending = "/data.pkl"
    let pickles = directory.entries.keys.filter { $0.hasSuffix(ending) && !$0.dropLast(ending.count).contains("/") }
    guard pickles.count == 1, let name = pickles.first else {
      throw .malformed(path: file.path, problem: "no archive of PyTorch: it has \(pickles.count) files \(ending.dropFirst())")
    }
    folder = "\(name.dropLast(ending.count))/"
  }

  /// Whether it is TorchScript's.
  var isProgram: Bool { directory.entries["\(folder)constants.pkl"] != nil }

  /// A file's bytes; nil where it is not there.
  func bytes(
    _ name: String, atMost limit: Int, of file: borrowing InputFile
  ) throws(TensorError) -> [UInt8]? {
    guard let entry = directory.entries[folder + name] else { return nil }
    guard entry.byteCount <= limit else {
      throw .malformed(path: file.path, problem: "its \(name) has \(entry.byteCount) bytes, at most \(limit) are read")
    }
    let place = try directory.place(of: entry, named: folder + name, in: file)
    return try file.bytes(at: place, count: entry.byteCount)
  }

  /// Before PyTorch 2.1 nothing was said, and little-endian machines wrote.
  func isBigEndian(_ file: borrowing InputFile) throws(TensorError) -> Bool {
    let order = try bytes("byteorder", atMost: 16, of: file).map { String(decoding: $0, as: UTF8.self) }
    guard ["little", "big", nil].contains(order) else {
      throw .malformed(path: file.path, problem: "its order of bytes is '\(order?.shown ?? "")'")
    }
    return order == "big"
  }

  func storage(_ key: String, of file: borrowing InputFile) throws(TensorError) -> Range<Int> {
    let name = "\(folder)data/\(key)"
    guard let entry = directory.entries[name] else {
      throw .malformed(path: file.path, problem: "the archive lacks '\(name.shown)'")
    }
    let place = try directory.place(of: entry, named: name, in: file)
    return place..<place + entry.byteCount
  }
}

extension PyTorchError {
  fileprivate init(_ problem: PickleReader.Problem, in path: String) {
    self =
      switch problem {
      case .endsEarly: .file(.malformed(path: path, problem: "its pickle ends early"))
      case .malformed(let text, at: let byte): .file(.malformed(path: path, problem: "its pickle: \(text), at byte \(byte)"))
      case .refused(let what, at: let byte): .refused(path: path, what: what, byte: byte)
      }
  }
}

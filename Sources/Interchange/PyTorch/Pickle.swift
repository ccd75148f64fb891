internal import Tensors

/// Reads Python's pickles as far as tensors need them: a stack machine that knows some of the opcodes, and the few names
/// of which tensors are made. All else is refused by its name. Nothing is ever called, imported or run.
///
/// What is made lies in lists, and values are places in them: so a list that holds itself, or a thousand that hold each
/// other, are nothing special. Memory grows with the pickle's own bytes alone, whatever its numbers say.
///
/// Source: CPython, `Lib/pickletools.py`; PyTorch 2.15, `torch/_weights_only_unpickler.py` and `torch/_utils.py`.
struct PickleReader {
  enum Value: Hashable {
    case none
    case truth(Bool)
    case integer(Int)
    /// An integer of more than 64 bits, the lowest byte first, in two's complement.
    case long([UInt8])
    case real(Double)
    case text(String)
    case name(Name)
    /// Places in the lists of the reader.
    case tuple(Int), list(Int), dictionary(Int), storage(Int), tensor(Int)
    /// Something that stands beside weights; nothing was made of it.
    case passedOver
  }

  /// Numbers in a row, which several tensors may look at.
  struct Storage: Hashable {
    let key: String
    /// Nil where it counts bytes.
    let type: ElementType?
    /// Elements, or bytes.
    let count: Int
    /// Where it begins, in elements from the beginning of what the file holds under its key.
    let begin: Int
  }

  /// A look at a storage. All numbers are as the file says.
  struct Strided: Hashable {
    let storage: Int
    let type: ElementType
    let offset: Int
    let extents, strides: [Int]
  }

  enum Problem: Error {
    case endsEarly
    case malformed(String, at: Int)
    case refused(String, at: Int)
  }

  private let bytes: [UInt8]
  /// The next byte.
  private(set) var place = 0
  private var stack: [Value] = []
  private var marks: [Int] = []
  private var memo: [Int: Value] = [:]
  /// Where the opcode stands that is at work.
  private var opcodePlace = 0

  private(set) var sequences: [[Value]] = []
  private(set) var dictionaries: [[(key: Value, value: Value)]] = []
  private(set) var storages: [Storage] = []
  private(set) var tensors: [Strided] = []

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads the pickle that begins at the next byte.
  mutating func next() throws(Problem) -> Value {
    (stack, marks, memo) = ([], [], [:])
    while true {
      opcodePlace = place
      let byte = try number(1)
      guard let opcode = Opcode(rawValue: UInt8(byte)) else {
        throw refused("the opcode \(Opcode.refused[UInt8(byte)] ?? String(byte))")
      }
      if opcode == .stop { return try pop() }
      try run(opcode)
    }
  }

  private mutating func run(_ opcode: Opcode) throws(Problem) {
    switch opcode {
    case .stop: break
    case .proto:
      let version = try number(1)
      guard (2...5).contains(version) else { throw malformed("version \(version) of pickles is not known") }
    case .frame: _ = try take(8)
    case .mark: marks.append(stack.count)

    case .none: stack.append(.none)
    case .newTrue: stack.append(.truth(true))
    case .newFalse: stack.append(.truth(false))
    case .binInt: stack.append(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
    case .binInt1: stack.append(.integer(try number(1)))
    case .binInt2: stack.append(.integer(try number(2)))
    case .long1: stack.append(long(try take(number(1))))
    case .binFloat:
      let bits = try take(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      stack.append(.real(Double(bitPattern: bits)))
    case .binUnicode, .binString: stack.append(.text(try text(number(4))))
    case .shortBinUnicode, .shortBinString: stack.append(.text(try text(number(1))))
    case .binBytes:
      _ = try take(number(4))
      stack.append(.passedOver)
    case .shortBinBytes:
      _ = try take(number(1))
      stack.append(.passedOver)

    case .emptyTuple: push([], as: Value.tuple)
    case .tuple1: push(try pop(1), as: Value.tuple)
    case .tuple2: push(try pop(2), as: Value.tuple)
    case .tuple3: push(try pop(3), as: Value.tuple)
    case .tuple: push(try popToMark(), as: Value.tuple)
    case .emptyList: push([], as: Value.list)
    case .append: try append(pop(1))
    case .appends: try append(popToMark())
    case .emptyDict: pushDictionary([])
    case .setItem: try set(pop(2))
    case .setItems: try set(popToMark())

    case .binGet: try recall(number(1))
    case .longBinGet: try recall(number(4))
    case .binPut: memo[try number(1)] = try top()
    case .longBinPut: memo[try number(4)] = try top()
    case .memoize: memo[memo.count] = try top()

    case .global:
      let (module, name) = (try line(), try line())
      stack.append(.name(try self.name(module, name)))
    case .stackGlobal:
      let parts = try pop(2)
      guard case .text(let module) = parts[0], case .text(let name) = parts[1] else {
        throw malformed("a name that is no text")
      }
      stack.append(.name(try self.name(module, name)))
    case .binPersId: stack.append(try storage(pop()))
    case .reduce, .newObj:
      let parts = try pop(2)
      guard case .name(let name) = parts[0], case .tuple(let arguments) = parts[1] else {
        throw malformed("a call of what cannot be called")
      }
      stack.append(try made(name, sequences[arguments], isNew: opcode == .newObj))
    case .build:
      // Attributes: the versions of modules at a state dict, what a parameter was marked with.
      _ = try pop()
      switch try top() {
      case .dictionary, .tensor, .passedOver: break
      default: throw malformed("attributes of what can have none")
      }
    }
  }

  // MARK: Bytes

  private mutating func take(_ count: Int) throws(Problem) -> ArraySlice<UInt8> {
    guard count <= bytes.count - place else { throw .endsEarly }
    defer { place += count }
    return bytes[place..<place + count]
  }

  /// An unsigned number of 1 to 4 bytes, the lowest first.
  private mutating func number(_ count: Int) throws(Problem) -> Int {
    try take(count).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func text(_ count: Int) throws(Problem) -> String {
    let bytes = try take(count)
    guard let text = String(validating: bytes, as: UTF8.self) else { throw malformed("a text that is no UTF-8") }
    return text
  }

  private mutating func line() throws(Problem) -> String {
    guard let end = bytes[place...].firstIndex(of: UInt8(ascii: "\n")) else { throw .endsEarly }
    let text = try text(end - place)
    place += 1
    return text
  }

  private func long(_ bytes: ArraySlice<UInt8>) -> Value {
    guard bytes.count <= 8 else { return .long(Array(bytes)) }
    let isNegative = bytes.last.map { $0 >= 0x80 } ?? false
    let start: UInt64 = isNegative ? .max : 0
    return .integer(Int(Int64(bitPattern: bytes.reversed().reduce(start) { $0 << 8 | UInt64($1) })))
  }

  // MARK: The stack

  private func malformed(_ problem: String) -> Problem { .malformed(problem, at: opcodePlace) }
  private func refused(_ what: String) -> Problem { .refused(what, at: opcodePlace) }

  /// Where the values above the last mark begin.
  private var floor: Int { marks.last ?? 0 }

  private func top() throws(Problem) -> Value {
    guard stack.count > floor, let value = stack.last else { throw malformed("the stack is empty") }
    return value
  }

  private mutating func pop() throws(Problem) -> Value {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func pop(_ count: Int) throws(Problem) -> [Value] {
    guard stack.count - count >= floor else { throw malformed("the stack is empty") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(Problem) -> [Value] {
    guard let mark = marks.popLast() else { throw malformed("there is no mark") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func push(_ values: [Value], as kind: (Int) -> Value) {
    sequences.append(values)
    stack.append(kind(sequences.count - 1))
  }

  private mutating func pushDictionary(_ items: [(key: Value, value: Value)]) { stack.append(dictionary(items)) }

  private mutating func dictionary(_ items: [(key: Value, value: Value)]) -> Value {
    dictionaries.append(items)
    return .dictionary(dictionaries.count - 1)
  }

  private mutating func append(_ values: [Value]) throws(Problem) {
    switch try top() {
    case .list(let list): sequences[list] += values
    case .passedOver: break
    default: throw malformed("what is appended to is no list")
    }
  }

  private mutating func set(_ values: [Value]) throws(Problem) {
    guard values.count % 2 == 0 else { throw malformed("a key has no value") }
    switch try top() {
    case .dictionary(let dictionary):
      for place in stride(from: 0, to: values.count, by: 2) {
        dictionaries[dictionary].append((values[place], values[place + 1]))
      }
    case .passedOver: break
    default: throw malformed("what has keys is no dictionary")
    }
  }

  private mutating func recall(_ key: Int) throws(Problem) {
    guard let value = memo[key] else { throw malformed("nothing was kept under \(key)") }
    stack.append(value)
  }

  // MARK: Tensors

  private func name(_ module: String, _ name: String) throws(Problem) -> Name {
    guard let known = Name("\(module).\(name)") else { throw refused("'\("\(module).\(name)".shown)'") }
    return known
  }

  /// Makes what PyTorch calls a persistent object: ("storage", its type, its key, the device, how many elements), and in
  /// old files none, or (another key, the first element, how many) of a part.
  private mutating func storage(_ object: Value) throws(Problem) -> Value {
    guard case .tuple(let place) = object, let first = sequences[place].first else {
      throw malformed("a storage that is no tuple")
    }
    let parts = sequences[place]
    guard first == .text("storage") else {
      guard first != .text("module") else { throw refused("the code of a module") }
      throw malformed("an object that is no storage")
    }
    guard (5...6).contains(parts.count), case .name(.storage(let type)) = parts[1], case .text(let key) = parts[2],
      case .integer(var count) = parts[4], count >= 0
    else { throw malformed("a storage that is none") }
    var begin = 0
    if parts.count == 6, parts[5] != .none {
      guard case .tuple(let view) = parts[5], sequences[view].count == 3, case .integer(let first) = sequences[view][1],
        case .integer(let size) = sequences[view][2], first >= 0, size >= 0, first <= count, size <= count - first
      else { throw malformed("a part of a storage that has no such part") }
      (begin, count) = (first, size)
    }
    storages.append(Storage(key: key, type: type, count: count, begin: begin))
    return .storage(storages.count - 1)
  }

  private mutating func made(_ name: Name, _ arguments: [Value], isNew: Bool) throws(Problem) -> Value {
    switch name {
    case .beside: return .passedOver
    case .orderedDictionary:
      if arguments.isEmpty { return dictionary([]) }
      guard arguments.count == 1, case .list(let list) = arguments[0] else { throw malformed("a dictionary of no list") }
      var items: [(key: Value, value: Value)] = []
      for pair in sequences[list] {
        let parts: [Value] =
          switch pair {
          case .tuple(let place), .list(let place): sequences[place]
          default: []
          }
        guard parts.count == 2 else { throw malformed("a dictionary of what are no pairs") }
        items.append((parts[0], parts[1]))
      }
      return dictionary(items)
    case .size:
      guard !isNew, arguments.count == 1, case .tuple = arguments[0] else { throw malformed("a size that is none") }
      return arguments[0]
    case .tensor, .typedTensor, .oldTensor:
      guard !isNew else { break }
      return try tensor(name, arguments)
    case .parameter:
      guard !isNew, (3...4).contains(arguments.count), case .tensor = arguments[0] else { break }
      return arguments[0]
    case .fromType:
      // Of a function, a class, the function's arguments and attributes. Functions within functions are not made.
      guard !isNew, arguments.count == 4, case .name(let function) = arguments[0], function.makesTensor,
        case .tuple(let inner) = arguments[2]
      else { break }
      return try made(function, sequences[inner], isNew: false)
    case .storage, .type: break
    }
    throw malformed("a call that makes nothing")
  }

  /// Makes a tensor of (storage, offset, extents, strides, whether it has a gradient, hooks, in newer files its type, and
  /// marks).
  private mutating func tensor(_ name: Name, _ arguments: [Value]) throws(Problem) -> Value {
    let (least, most) = switch name {
    case .oldTensor: (4, 4)
    case .typedTensor: (7, 8)
    default: (6, 7)
    }
    guard (least...most).contains(arguments.count), case .storage(let storage) = arguments[0],
      case .integer(let offset) = arguments[1], let extents = integers(arguments[2]),
      let strides = integers(arguments[3]), extents.count == strides.count
    else { throw malformed("a tensor that is none") }
    var type = storages[storage].type
    if name == .typedTensor, case .name(.type(let given)) = arguments[6] { type = given }
    guard let type else { throw malformed("a tensor without a type") }
    // Marks say that each number is to be read as its negative, or conjugate.
    if arguments.count == most, name != .oldTensor {
      switch arguments[most - 1] {
      case .none: break
      case .dictionary(let marks) where dictionaries[marks].allSatisfy { $0.value == .truth(false) }: break
      default: throw refused("a tensor with marks, as of conj()")
      }
    }
    tensors.append(Strided(storage: storage, type: type, offset: offset, extents: extents, strides: strides))
    return .tensor(tensors.count - 1)
  }

  private func integers(_ value: Value) -> [Int]? {
    guard case .tuple(let place) = value else { return nil }
    var result: [Int] = []
    for element in sequences[place] {
      guard case .integer(let number) = element else { return nil }
      result.append(number)
    }
    return result
  }
}

extension PickleReader {
  enum Opcode: UInt8 {
    case mark = 0x28, emptyTuple = 0x29, stop = 0x2E, binBytes = 0x42, shortBinBytes = 0x43, binFloat = 0x47
    case binInt = 0x4A, binInt1 = 0x4B, binInt2 = 0x4D, none = 0x4E, binPersId = 0x51, reduce = 0x52, binString = 0x54
    case shortBinString = 0x55, binUnicode = 0x58, emptyList = 0x5D, append = 0x61, build = 0x62, global = 0x63
    case appends = 0x65, binGet = 0x68, longBinGet = 0x6A, binPut = 0x71, longBinPut = 0x72, setItem = 0x73
    case tuple = 0x74, setItems = 0x75, emptyDict = 0x7D, proto = 0x80, newObj = 0x81, tuple1 = 0x85, tuple2 = 0x86
    case tuple3 = 0x87, newTrue = 0x88, newFalse = 0x89, long1 = 0x8A, shortBinUnicode = 0x8C, stackGlobal = 0x93
    case memoize = 0x94, frame = 0x95

    /// The names of the others.
    static let refused: [UInt8: String] = [
      0x30: "POP", 0x31: "POP_MARK", 0x32: "DUP", 0x46: "FLOAT", 0x49: "INT", 0x4C: "LONG", 0x50: "PERSID",
      0x53: "STRING", 0x56: "UNICODE", 0x64: "DICT", 0x67: "GET", 0x69: "INST", 0x6C: "LIST", 0x6F: "OBJ", 0x70: "PUT",
      0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x8B: "LONG4", 0x8D: "BINUNICODE8", 0x8E: "BINBYTES8",
      0x8F: "EMPTY_SET", 0x90: "ADDITEMS", 0x91: "FROZENSET", 0x92: "NEWOBJ_EX", 0x96: "BYTEARRAY8",
      0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
    ]
  }

  /// What a pickle may call by name.
  enum Name: Hashable {
    case orderedDictionary, size
    /// `_rebuild_tensor_v2`, `_v3` and the first.
    case tensor, typedTensor, oldTensor
    case parameter, fromType
    /// A class of storages; nil for that of bytes.
    case storage(ElementType?)
    case type(ElementType)
    /// What checkpoints hold beside weights.
    case beside

    init?(_ name: String) {
      guard let known = Self.known[name] else { return nil }
      self = known
    }

    var makesTensor: Bool {
      switch self {
      case .tensor, .typedTensor, .oldTensor, .parameter: true
      default: false
      }
    }

    private static let known: [String: Name] = {
      var names: [String: Name] = [
        "collections.OrderedDict": .orderedDictionary, "torch.Size": .size,
        "torch._utils._rebuild_tensor": .oldTensor, "torch._utils._rebuild_tensor_v2": .tensor,
        "torch._utils._rebuild_tensor_v3": .typedTensor, "torch._utils._rebuild_parameter": .parameter,
        "torch._utils._rebuild_parameter_with_state": .parameter, "torch._tensor._rebuild_from_type_v2": .fromType,
        "torch.storage.UntypedStorage": .storage(nil),
      ]
      let storages: [(String, ElementType)] = [
        ("Double", .float64), ("Float", .float32), ("Half", .float16), ("BFloat16", .bfloat16), ("Long", .int64),
        ("Int", .int32), ("Short", .int16), ("Char", .int8), ("Byte", .uint8), ("Bool", .bool),
      ]
      for (name, type) in storages { names["torch.\(name)Storage"] = .storage(type) }
      let types: [(String, ElementType)] = [
        ("float64", .float64), ("float32", .float32), ("float16", .float16), ("bfloat16", .bfloat16),
        ("int64", .int64), ("int32", .int32), ("int16", .int16), ("int8", .int8), ("uint64", .uint64),
        ("uint32", .uint32), ("uint16", .uint16), ("uint8", .uint8), ("bool", .bool), ("float8_e4m3fn", .float8e4m3),
        ("float8_e5m2", .float8e5m2), ("float8_e4m3fnuz", .float8e4m3z), ("float8_e5m2fnuz", .float8e5m2z),
        ("float8_e8m0fnu", .float8e8m0),
      ]
      for (name, type) in types { names["torch.\(name)"] = .type(type) }
      // Settings, counters and measured numbers. None of them can hold weights.
      let beside = [
        "argparse.Namespace", "collections.Counter", "collections.defaultdict", "collections.deque",
        "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.core.multiarray._reconstruct",
        "numpy._core.multiarray._reconstruct", "numpy.dtype", "numpy.ndarray", "_codecs.encode", "torch.device",
        "torch.Tensor", "torch.nn.parameter.Parameter", "datetime.datetime", "pathlib.PosixPath",
        "pathlib._local.PosixPath",
      ] + ["list", "dict", "set", "int", "float", "str", "bool"].flatMap { ["builtins.\($0)", "__builtin__.\($0)"] }
      for name in beside { names[name] = .beside }
      return names
    }()
  }
}

extension String {
  /// A name from a file as it is shown: without control characters, and cut.
  var shown: String {
    let scalars = unicodeScalars.prefix(200).map { $0.properties.generalCategory == .control ? "?" : $0 }
    var shown = String(String.UnicodeScalarView(scalars))
    if unicodeScalars.count > 200 { shown += "…" }
    return shown
  }
}

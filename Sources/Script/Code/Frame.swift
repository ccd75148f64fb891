import Synchronization

/// A place to compute in: the parameters and local values of one call.
final class Frame {
  let machine: Machine
  let slots: UnsafeMutablePointer<Value?>
  /// The variables that functions inside share.
  let cells: [Cell]
  /// What the function kept of its surroundings.
  let surroundings: Surroundings
  private let count: Int

  /// Not inlined, as it would take from the stack of each call.
  @inline(never)
  init(_ machine: Machine, count: Int, cellCount: Int = 0, _ surroundings: Surroundings = .none) {
    (self.machine, self.count, self.surroundings) = (machine, count, surroundings)
    cells = cellCount == 0 ? [] : (0..<cellCount).map { _ in Cell() }
    slots = .allocate(capacity: count)
    slots.initialize(repeating: nil, count: count)
  }

  /// A place for a call of a function.
  convenience init(_ machine: Machine, _ code: FunctionCode, _ surroundings: Surroundings) {
    self.init(machine, count: code.slotCount, cellCount: code.cellCount, surroundings)
  }

  deinit {
    slots.deinitialize(count: count)
    slots.deallocate()
  }
}

/// A variable of a call that functions made in it share with it.
final class Cell: @unchecked Sendable {  // Sendable: only the thread of the session reads and writes it
  let pointer: UnsafeMutablePointer<Value?>

  init() {
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: nil)
  }

  deinit {
    if pointer.pointee != nil { Graves.bury(&pointer.pointee) }
    pointer.deinitialize(count: 1)
    pointer.deallocate()
  }

  /// Frees what cells held one after the other: a function may hold a cell that holds a function that holds a cell, a
  /// million times, which would need as deep a stack.
  private enum Graves {
    private static let waiting = Mutex<(values: [Value], isBusy: Bool)>(([], false))

    static func bury(_ value: inout Value?) {
      let isFirst = waiting.withLock { waiting in
        if let taken = value.take() { waiting.values.append(taken) }
        defer { waiting.isBusy = true }
        return !waiting.isBusy
      }
      guard isFirst else { return }
      while freeOne() {}
    }

    private static func freeOne() -> Bool {
      let next = waiting.withLock { waiting -> Value? in
        if let next = waiting.values.popLast() { return next }
        waiting.isBusy = false
        return nil
      }
      return next != nil
    }
  }
}

/// What a function keeps of the function around it: values that cannot change any more, and variables that it shares.
final class Surroundings: Sendable {
  let values: [Value]
  let cells: [Cell]
  init(_ values: [Value], _ cells: [Cell]) { (self.values, self.cells) = (values, cells) }
  static let none = Surroundings([], [])
}

/// Where a cell is found.
enum CellSource {
  /// One of this call.
  case own(Int)
  /// One that the function kept.
  case kept(Int)

  @inline(__always)
  func cell(in frame: Frame) -> Cell {
    switch self {
    case .own(let index): frame.cells[index]
    case .kept(let index): frame.surroundings.cells[index]
    }
  }
}

/// A place that can be given a value.
enum Place {
  case local(Int)
  case global(Int)
  /// A cell of this call.
  case cell(Int)

  @inline(__always)
  func pointer(in frame: Frame) -> UnsafeMutablePointer<Value?> {
    switch self {
    case .local(let slot): frame.slots + slot
    case .global(let slot): frame.machine.globals + slot
    case .cell(let index): frame.cells[index].pointer
    }
  }
}

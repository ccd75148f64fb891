internal import CKernels
internal import Networks
internal import Tensors

/// Where every buffer of a plan lies: arrays that never live at the same time share a place.
struct MemoryPlan {
  /// Bytes of the arena that steps share.
  private(set) var arenaBytes = 0
  /// Bytes of the scratchpad, the largest that any step wants.
  private(set) var scratchBytes = 0
  /// Bytes of the trainable parameters' arena, and of the running statistics'.
  private(set) var trainableBytes = 0
  private(set) var statisticsBytes = 0
  private let buffers: [PlanBuilder.Buffer]
  private let steps: [PlanBuilder.PendingStep]
  private var parameters: [Plan.Parameter]
  private let isTraining: Bool
  private var offsets: [Int]

  init(
    buffers: [PlanBuilder.Buffer], steps: [PlanBuilder.PendingStep], parameters: [Plan.Parameter], isTraining: Bool
  ) {
    self.buffers = buffers
    self.steps = steps
    self.parameters = parameters
    self.isTraining = isTraining
    offsets = Array(repeating: 0, count: buffers.count)
    scratchBytes = steps.map(\.scratch).max() ?? 0
    place()
    placeParameters()
  }

  /// Each parameter starts on a cache line; the rest of its last line stays zero.
  private mutating func placeParameters() {
    for i in parameters.indices {
      let size = AlignedBuffer.rounded(parameters[i].layout.byteCount)
      parameters[i].byteCount = size
      if parameters[i].rule.isTrainable {
        parameters[i].offset = trainableBytes
        trainableBytes += size
      } else {
        parameters[i].offset = statisticsBytes
        statisticsBytes += size
      }
    }
  }

  /// Finds when each buffer lives, lets results take the place of what is no longer needed, and packs the rest, the
  /// largest first, each at the lowest offset that is free for its whole life.
  private mutating func place() {
    var first = [Int](repeating: Int.max, count: buffers.count)
    var last = [Int](repeating: -1, count: buffers.count)
    for (i, step) in steps.enumerated() {
      for buffer in step.reads + step.writes {
        first[buffer.index] = min(first[buffer.index], i)
        last[buffer.index] = max(last[buffer.index], i)
      }
    }
    for i in buffers.indices where buffers[i].home == .pinned { (first[i], last[i]) = (0, steps.count) }

    var root = Array(buffers.indices)
    func find(_ i: Int) -> Int {
      var i = i
      while root[i] != i { i = root[i] }
      return i
    }
    for (i, step) in steps.enumerated() {
      for (written, read) in step.inPlace {
        let (w, r) = (find(written.index), find(read.index))
        guard w != r, buffers[w].home == .step, buffers[r].home == .step, first[w] == i, last[r] == i,
          buffers[w].byteCount <= buffers[r].byteCount,
          // Only one of a step's results may take a place, and none that the step reads under another name.
          step.reads.filter({ find($0.index) == r }).count == 1
        else { continue }
        root[w] = r
        last[r] = last[w]
      }
    }

    var placed: [(offset: Int, end: Int, first: Int, last: Int)] = []
    let order = buffers.indices.filter { root[$0] == $0 && last[$0] >= 0 && usesArena(buffers[$0].home) }
      .sorted { (buffers[$0].byteCount, $1) > (buffers[$1].byteCount, $0) }
    for i in order {
      let size = AlignedBuffer.rounded(max(buffers[i].byteCount, 1))
      var offset = 0
      // `placed` is sorted by offset, so the first gap that is wide enough is the lowest.
      for other in placed where other.first <= last[i] && first[i] <= other.last {
        if other.offset >= offset + size { break }
        offset = max(offset, other.end)
      }
      offsets[i] = offset
      arenaBytes = max(arenaBytes, offset + size)
      let entry = (offset, offset + size, first[i], last[i])
      placed.insert(entry, at: placed.firstIndex { $0.offset > offset } ?? placed.count)
    }
    for i in buffers.indices where root[i] != i { offsets[i] = offsets[find(i)] }
  }

  private func usesArena(_ home: PlanBuilder.Home) -> Bool { home == .step || home == .pinned }

  /// Takes the memory, and makes every step with its addresses in it.
  func realize(_ builder: PlanBuilder, ends: Plan.Ends, forwardCount: Int) throws(EngineError) -> Plan {
    let memory = try PlanMemory(
      arena: buffer(byteCount: arenaBytes), scratch: buffer(byteCount: scratchBytes),
      trainable: buffer(byteCount: trainableBytes), gradients: buffer(byteCount: isTraining ? trainableBytes : 0),
      statistics: buffer(byteCount: statisticsBytes))
    let pointers = buffers.indices.map { i -> UnsafeMutableRawPointer in
      switch buffers[i].home {
      case .step, .pinned: memory.arena.pointer + offsets[i]
      case .parameter(let index):
        memory.start(ofTrainable: parameters[index].rule.isTrainable) + parameters[index].offset
      case .gradient(let index): memory.gradients.pointer + parameters[index].offset
      }
    }
    let addresses = PlanBuilder.Addresses(
      pointers: pointers, scratch: memory.scratch.pointer, random: memory.random,
      areNormsFrozen: memory.areNormsFrozen)
    var made: [Plan.Step] = []
    made.reserveCapacity(steps.count)
    for step in steps { made.append(try step.make(addresses)) }
    var gradientSteps = [Int](repeating: forwardCount, count: parameters.count)
    for (i, step) in steps.enumerated() {
      for written in step.writes {
        if case .gradient(let index) = buffers[written.index].home { gradientSteps[index] = i }
      }
    }
    func arrays(_ list: [BufferID]) -> [UnsafeBufferPointer<Float>] {
      list.map { UnsafeBufferPointer(start: addresses.floats($0), count: buffers[$0.index].byteCount / 4) }
    }
    let traffic =
      builder.mode != .inference
      ? [] : steps.prefix(forwardCount).map { Plan.StepTraffic(reads: arrays($0.reads), writes: arrays($0.writes)) }
    return Plan(
      builder: builder, memory: memory, parameters: parameters, gradientSteps: gradientSteps, steps: made, labels: steps.map(\.label),
      forwardCount: forwardCount, ends: ends, addresses: addresses, traffic: traffic)
  }
}

/// Owns all memory of a plan.
final class PlanMemory {
  let arena, scratch, trainable, gradients, statistics: AlignedBuffer
  let random: UnsafeMutablePointer<rk_random_state>
  /// Whether batch norms in training keep their running statistics; 0 or 1.
  let areNormsFrozen: UnsafeMutablePointer<Int32>

  init(
    arena: consuming AlignedBuffer, scratch: consuming AlignedBuffer, trainable: consuming AlignedBuffer,
    gradients: consuming AlignedBuffer, statistics: consuming AlignedBuffer
  ) {
    self.arena = arena
    self.scratch = scratch
    self.trainable = trainable
    self.gradients = gradients
    self.statistics = statistics
    random = .allocate(capacity: 1)
    random.initialize(to: rk_random_state(seed: 0, step: 0, row: 0))
    areNormsFrozen = .allocate(capacity: 1)
    areNormsFrozen.initialize(to: 0)
  }
  deinit {
    random.deallocate()
    areNormsFrozen.deallocate()
  }

  /// Where one of the two arenas of parameters starts.
  func start(ofTrainable isTrainable: Bool) -> UnsafeMutableRawPointer {
    if isTrainable { return trainable.pointer }
    return statistics.pointer
  }
}

internal import Tensors

/// The last transitions, from which updates draw.
package struct ReplayBuffer: Sendable {
  package let capacity: Int
  /// In no order that matters.
  package private(set) var transitions: [DDPG.Transition] = []
  /// The place of the next transition once the buffer is full.
  private var oldest = 0

  package init(capacity: Int) { self.capacity = capacity }

  package var isFull: Bool { transitions.count == capacity }

  /// Remembers a transition, in the place of the oldest where the buffer is full.
  package mutating func append(_ transition: DDPG.Transition) {
    guard isFull else {
      transitions.append(transition)
      return
    }
    transitions[oldest] = transition
    oldest = (oldest + 1) % capacity
  }

  /// Draws transitions, each from all, so that one may come twice; at least one must be remembered.
  func sample(_ count: Int, using random: inout Philox) -> [DDPG.Transition] {
    (0..<count).map { _ in transitions[random.integer(below: transitions.count)] }
  }
}

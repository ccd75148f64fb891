import Foundation
import Tensors

/// A pendulum that is to be swung up and held by a motor too weak to lift it at once.
///
/// Source: Gymnasium's Pendulum-v1, with its constants: g 10, mass 1, length 1.
struct Pendulum {
  static let steps = 200
  static let torques: ClosedRange<Float> = -2...2

  /// From upright.
  var angle: Double
  var speed: Double

  init(angle: Double, speed: Double) { (self.angle, self.speed) = (angle, speed) }

  /// At an angle of ±π and a speed of ±1, sampled uniformly.
  init(using random: inout Philox) {
    angle = (2 * random.uniformDouble() - 1) * .pi
    speed = 2 * random.uniformDouble() - 1
  }

  var observation: [Float] { [Float(cos(angle)), Float(sin(angle)), Float(speed)] }

  /// Moves on by .05 seconds.
  /// - Returns: the reward, from about -16.3 to 0.
  mutating func step(torque: Double) -> Double {
    let torque = min(max(torque, -2), 2)
    let turned = angle - 2 * .pi * ((angle + .pi) / (2 * .pi)).rounded(.down)
    let reward = -(turned * turned + 0.1 * speed * speed + 0.001 * torque * torque)
    speed = min(max(speed + (15 * sin(angle) + 3 * torque) * 0.05, -8), 8)
    angle += speed * 0.05
    return reward
  }
}

import Foundation
import Testing
import Training

@Suite("learning rates")
struct ScheduleTests {
  struct Golden: Decodable {
    var epochs: [Int]
    var rates: [Double]
  }

  func plan(_ change: (inout TrainingPlan) -> Void) -> TrainingPlan {
    var plan = TrainingPlan()
    change(&plan)
    return plan
  }

  @Test("a rate that falls without end is 0, and is found at once", arguments: [1e-300, 1e-12, 1e-6])
  func manySteps(_ every: Double) {
    let plan = plan { ($0.epochs, $0.schedule) = (2, .step(every: every, factor: 0.5)) }
    #expect(plan.learningRate(atStep: 15, stepsPerEpoch: 10) == 0)
    let steady = self.plan { ($0.epochs, $0.schedule, $0.learningRate) = (2, .step(every: every, factor: 1), 0.25) }
    #expect(steady.learningRate(atStep: 15, stepsPerEpoch: 10) == 0.25)
  }

  @Test("an A1 training has the rates that timm's scheduler gives")
  func timm() {
    let golden = TrainingGolden.read(Golden.self, "schedules")
    // 600 epochs and ten of cool-down; the lowest rate 1e-6, the warm-up from 1e-4.
    let plan = plan {
      ($0.epochs, $0.cooldownEpochs, $0.learningRate, $0.warmupEpochs) = (610, 10, 5e-3, 5)
      ($0.schedule, $0.warmup) = (.cosine(final: 1e-6 / 5e-3), .epochs(from: 1e-4 / 5e-3))
      ($0.schedulesByEpoch, $0.schedulesFromStart) = (true, true)
    }
    for (epoch, rate) in zip(golden.epochs, golden.rates) {
      for step in [0, 624] {
        let found = plan.learningRate(atStep: epoch * 625 + step, stepsPerEpoch: 625)
        #expect(abs(found - rate) < 1e-12, "epoch \(epoch)")
      }
    }
  }

  @Test("Deci's training has the rates that SuperGradients gives")
  func superGradients() {
    let steps = 834
    let plan = plan {
      ($0.epochs, $0.cooldownEpochs, $0.learningRate, $0.warmupEpochs) = (610, 10, 5e-3, 5)
      ($0.schedule, $0.warmup) = (.cosine(final: 0.01), .wholeEpochs(5))
    }
    func rate(_ epoch: Int, _ step: Int = 0) -> Double {
      plan.learningRate(atStep: epoch * steps + step, stepsPerEpoch: steps)
    }
    for epoch in 0..<5 {
      #expect(abs(rate(epoch) - 5e-3 / 6 * Double(epoch + 1)) < 1e-12)
      #expect(rate(epoch) == rate(epoch, steps - 1))
    }
    #expect(abs(rate(5) - 5e-3) < 1e-12)
    #expect(abs(rate(600) - 5e-5) < 1e-12 && rate(600) == rate(609, steps - 1))
    // Its cosine counts one step more and is a step late: half way a step and a half, of 1.6e-8 each.
    let total = 595 * steps
    for step in [1, 1000, total / 3, total / 2, total - 1] {
      let falling: Double = 0.5 * (1 + cos(Double(step - 1) / Double(total + 1) * Double.pi))
      let theirs: Double = 5e-3 * falling * 0.99 + 5e-5
      #expect(abs(rate(5, step) - theirs) < 2.5e-8)
    }
  }

  @Test("the rate falls by steps, at given epochs, or all the time")
  func falls() {
    func rate(_ schedule: Schedule, _ time: Double) -> Double {
      plan { ($0.epochs, $0.learningRate, $0.schedule) = (100, 1, schedule) }
        .learningRate(atStep: Int((time * 10).rounded()), stepsPerEpoch: 10)
    }
    // slim's MobileNet: 0.94 after each 2.5 epochs.
    let slim = Schedule.step(every: 2.5, factor: 0.94)
    #expect(rate(slim, 2.4) == 1 && abs(rate(slim, 2.5) - 0.94) < 1e-12 && abs(rate(slim, 50) - pow(0.94, 20)) < 1e-12)
    let pocketFlow = Schedule.steps(at: [30, 60, 80, 90], factor: 0.1)
    #expect([29.9, 30, 60, 80, 90, 99.9].map { Int((-log10(rate(pocketFlow, $0))).rounded()) } == [0, 1, 2, 3, 4, 4])
    #expect(abs(rate(.exponential(every: 2.5, factor: 0.94), 1.2) - pow(0.94, 1.2 / 2.5)) < 1e-12)
    let byEpoch = plan {
      ($0.epochs, $0.learningRate, $0.schedule, $0.schedulesByEpoch) = (10, 1, .cosine(final: 0), true)
    }
    #expect((50..<60).allSatisfy { abs(byEpoch.learningRate(atStep: $0, stepsPerEpoch: 10) - 0.5) < 1e-12 })
  }
}

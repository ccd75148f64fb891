import Foundation
import Script
import Testing

@Suite("what runs can be stopped", .serialized)
struct InterruptionTests {
  /// Each takes seconds on one thread, so that it has not ended when it is asked to stop.
  @Test(
    "long work ends with an interruption, and the session goes on",
    arguments: [
      "evaluate(model, data)", "confusionMatrix(model, data)", "topLosses(model, data, 3)", "predict(model, images)",
      "agreement(model, data, with: model)", "benchmark(resnet20(classes: 4), steps: 100_000)",
      "probe(large, few, batch: 96)", "quantize(model, data, images: 2000)",
    ])
  func stops(_ line: String) throws {
    let workshop = try Workshop()
    try workshop.value(
      """
      data = synthetic(4, shape: [3, 32, 32], train: 2000, validation: 2000)
      few = synthetic(4, shape: [3, 64, 64], train: 96, validation: 16)
      model = initialize(resnet20(classes: 4, input: [3, 32, 32]))
      large = vgg16(classes: 4, input: [3, 64, 64])
      images = array([0], shape: [2000, 3, 32, 32])
      """)
    let interruption = workshop.interruption
    let thread = Thread {
      usleep(150_000)
      interruption.raise()
    }
    thread.start()
    let error = try #require(workshop.error(line))
    #expect(error.category == .interrupted, "\(error.message)")
    interruption.clear()
    #expect(try workshop.value("data.classes") == .number(4))
  }

  @Test("a function is not called any more once somebody wants to stop")
  func asksFirst() throws {
    let workshop = try Workshop()
    workshop.interruption.raise()
    for line in ["save(initialize(resnet8(classes: 4)), to: \"a.safetensors\")", "fn f() = write(1, to: \"b\")\nf()"] {
      #expect(workshop.error(line)?.category == .interrupted)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: workshop.folder).isEmpty)
  }

  @Test("a training run that is asked twice leaves out the measuring, and goes on to the same bits", arguments: [1, 2])
  func hurried(_ times: Int) throws {
    let training =
      "run = train(resnet8(classes: 4), synthetic(4, shape: [1, 16, 16], train: 128, validation: 64), epochs: 3, batch: 16, lr: 0.05)"
    let whole = try Workshop().value(training + "\nrun")
    // The first report comes with the last step of the first epoch.
    let workshop = try Workshop(interruptions: times)
    try workshop.value(training)
    workshop.interruption.clear()
    #expect(try workshop.value("run.interrupted") == .bool(true))
    #expect(try workshop.value("len(run.epochs)") == .number(times == 1 ? 1 : 0))
    #expect(try workshop.value("resume(run)") == whole)
  }
}

internal import CDNNL

/// What numbers a plan computes with.
public enum Precision: String, Hashable, Sendable, Codable, CaseIterable {
  /// 24 bits of significand everywhere.
  case float32
  /// Activations, their gradients, and the copies of weights that kernels read have 8 bits of significand and the
  /// exponents of float32. Products are summed in float32; parameters and their gradients, optimizers, statistics and
  /// logits are float32. Mixed precision without loss scaling, as PyTorch's autocast to bfloat16 has it.
  case bf16
}

extension Precision {
  /// The type of activations and of kernels' weights.
  var elements: dnnl_data_type_t { self == .bf16 ? dnnl_bf16 : dnnl_f32 }
}

extension Engine {
  /// Whether the processor has instructions for a precision, and oneDNN may use them (`ONEDNN_MAX_CPU_ISA`).
  public static func supports(_ precision: Precision) -> Bool {
    let needed = dnnl_cpu_isa_avx512_core_bf16.rawValue
    return precision == .float32 || dnnl_get_effective_cpu_isa().rawValue & needed == needed
  }

  /// - Throws: `EngineError.precision` where the processor lacks it: it is not emulated.
  public static func mustSupport(_ precision: Precision) throws(EngineError) {
    guard supports(precision) else { throw .precision(precision, instructionSet: instructionSet) }
  }
}

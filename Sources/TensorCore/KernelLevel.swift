import CKernels

/// Which kernels run on this processor.
package enum KernelLevel {
    /// `avx512`, `avx2`, `neon` or `portable`.
    package static var current: String { String(cString: ck_level_name(ck_current_level())) }

    /// All levels there are, on any processor.
    package static let all = ["portable", "avx2", "avx512", "neon"]

    /// The levels that this processor has, the best last.
    package static var available: [String] {
        (ck_portable.rawValue...ck_best_level().rawValue).map { String(cString: ck_level_name(ck_level($0))) }
    }

    /// Which of them multiply eight-bit integers: `avx512vnni`, `avx2`, `neon` or `portable`.
    package static var int8: String { String(cString: ck_int8_name()) }
}

import Glibc

/// Linear warm-up, then a half cosine to zero: `lr(t) = base · t / warmup` for t < warmup, afterwards
/// `base · ½ (1 + cos(π · progress))` (Hugging Face's `get_cosine_schedule_with_warmup`).
package struct CosineSchedule: Sendable {
    package let base: Double
    package let warmup: Int
    package let total: Int

    package init(base: Double, warmup: Int, total: Int) {
        self.base = base
        self.warmup = warmup
        self.total = total
    }

    /// Rate of step `step`, counted from 0.
    package func rate(_ step: Int) -> Float {
        if step < warmup { return Float(base * Double(step) / Double(max(warmup, 1))) }
        let progress = Double(step - warmup) / Double(max(total - warmup, 1))
        return Float(base * max(0, 0.5 * (1 + cos(.pi * progress))))
    }
}

//! What vector instructions the machine has.

/// What bytes are classified with. Each kind is compiled in, and one is chosen when the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
    /// AVX-512 as Ice Lake and Zen 4 have it, and [`Machine::Avx2`].
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2 and its contemporaries: BMI1, BMI2, LZCNT, POPCNT and PCLMULQDQ.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Nothing that not every machine has.
    Any,
}

impl Machine {
    /// The kinds that this machine can be, the best first.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let vectors = {
            let has_avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt")
                && is_x86_feature_detected!("pclmulqdq");
            let has_avx512 = has_avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vbmi2");
            [
                has_avx512.then_some(Machine::Avx512),
                has_avx2.then_some(Machine::Avx2),
            ]
        };
        #[cfg(not(target_arch = "x86_64"))]
        let vectors = [];
        vectors.into_iter().flatten().chain([Machine::Any])
    }

    /// The best kind that this machine is.
    pub(super) fn here() -> Self {
        Self::all().next().unwrap_or(Machine::Any)
    }
}

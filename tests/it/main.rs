//! Cross-crate tests, one module a subject.

mod architecture;

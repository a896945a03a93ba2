//! Capital to allocation: the optimum, with its proof.

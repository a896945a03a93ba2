//! Which constraints conflict: a set none of which can be left out.

use super::{
    Constraint, Problem,
    convex::VIOLATION,
    master::{Lines, Proposal, propose},
    model::Model,
    proof::Proof,
};
use std::collections::HashSet;

/// The constraints of an infeasible problem that conflict: without any one of them, the others can be kept to.
///
/// Each constraint in turn is left out for good if the rest still conflicts (the deletion filter of Chinneck and Dravnieks, 1991).
pub(super) fn irreducible(problem: &Problem) -> Vec<Constraint> {
    let mut dropped = HashSet::new();
    let mut needed = Vec::new();
    for constraint in all(problem) {
        dropped.insert(constraint.clone());
        if can_be_kept(problem, &dropped) {
            dropped.remove(&constraint);
            needed.push(constraint);
        }
    }
    needed
}

/// The problem's constraints, the ones of most sources first, so that those of single sources remain.
fn all(problem: &Problem) -> Vec<Constraint> {
    let mut all = Vec::new();
    if problem.risk.as_ref().is_some_and(|risk| risk.limit_usd().is_finite()) {
        all.push(Constraint::Risk);
    }
    if problem.min_liquid_share > 0.0 {
        all.push(Constraint::Liquidity);
    }
    if problem.max_turnover_usd.is_finite() {
        all.push(Constraint::Turnover);
    }
    all.extend(
        problem
            .sources
            .iter()
            .map(|source| Constraint::Cap(source.id().to_owned())),
    );
    let least = problem
        .sources
        .iter()
        .zip(&problem.minimum_positions_usd)
        .filter(|(_, usd)| **usd > 0.0);
    all.extend(least.map(|(source, _)| Constraint::MinimumPosition(source.id().to_owned())));
    for group in &problem.groups {
        if group.max_usd.is_finite() {
            all.push(Constraint::GroupCap(group.name.clone()));
        }
        if group.min_usd > 0.0 {
            all.push(Constraint::GroupFloor(group.name.clone()));
        }
    }
    let floors = problem
        .sources
        .iter()
        .zip(&problem.floors_usd)
        .filter(|(_, usd)| **usd > 0.0);
    all.extend(floors.map(|(source, _)| Constraint::Floor(source.id().to_owned())));
    all.push(Constraint::Capital);
    all
}

/// Whether any sizes keep to the constraints that are not dropped.
///
/// Microlp's word is taken for sizes only, which can be looked at; that there are none the proof must say.
fn can_be_kept(problem: &Problem, dropped: &HashSet<Constraint>) -> bool {
    let model = Model::new(problem, dropped);
    if model.modes.iter().any(Vec::is_empty) {
        return false;
    }
    let mut lines = Lines::new(&model);
    if let Ok(Some(Proposal { choice, mut shares, .. })) = propose(&model, &lines, true) {
        model.polish(&choice, &mut shares);
        if model.violation(&choice, &shares) <= VIOLATION {
            return true;
        }
    }
    let mut proof = Proof::new(&model, None, 1.0);
    proof.run(&mut lines, true);
    proof.best.is_some() || !proof.is_empty()
}

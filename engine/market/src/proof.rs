use crate::{Intent, cancelled_ticks, intent::reproduces, mismatch::numbers, tick_knowledge::TickKnowledge};
use plimsoll_protocols::uniswap_v3::{Pool, SwapOutcome, SwapRecord};
use plimsoll_units::{SqrtPriceX96, Tick};

/// What a swapper asked for, and the ticks whose state it showed to be another.
pub(crate) type Proof = (Intent, Vec<Tick>);

/// Finds the intent that gives all five numbers and carries it out. Where logs are all there is, a tick whose positions cancel out
/// cannot be told from an empty one until a swap rounds there: what is believed of each is tried first, then that with one of them
/// changed, then every choice. The ones that changed are returned; `None` when they are too many to try.
pub(crate) fn prove_and_commit(
    pool: &mut Pool,
    known: Option<&mut TickKnowledge>,
    record: &SwapRecord,
    before: SqrtPriceX96,
) -> Result<Option<Proof>, String> {
    let miss = match first_that_reproduces(pool, record, before) {
        Ok((intent, outcome)) => {
            pool.commit(&outcome);
            return Ok(Some((intent, Vec::new())));
        }
        Err(miss) => miss,
    };
    let Some(known) = known else {
        return Err(miss);
    };
    // A falling price may stop on its last tick without passing it.
    let last = record.tick.get() - i32::from(record.sqrt_price < before);
    let ambiguous = known.ambiguous_between(pool, pool.tick().get(), last);
    let mut changed = |pool: &mut Pool, toggled: &[i32]| {
        toggled.iter().for_each(|tick| known.toggle(pool, *tick));
        if let Ok((intent, outcome)) = first_that_reproduces(pool, record, before) {
            pool.commit(&outcome);
            return Some((intent, toggled.iter().copied().map(Tick::clamped).collect()));
        }
        toggled.iter().for_each(|tick| known.toggle(pool, *tick));
        None
    };
    if let Some(proof) = ambiguous.iter().find_map(|tick| changed(pool, &[*tick])) {
        return Ok(Some(proof));
    }
    if ambiguous.len() > cancelled_ticks::MOST {
        return Ok(None);
    }
    if ambiguous.len() > 1
        && let Some(standing) = cancelled_ticks::standing(pool, record, before, &ambiguous)
    {
        let wrong = |tick: &&i32| (pool.ticks().get(**tick).liquidity_gross > 0) != standing.contains(tick);
        let toggled: Vec<i32> = ambiguous.iter().filter(wrong).copied().collect();
        return changed(pool, &toggled).map(Some).ok_or(miss);
    }
    Err(miss)
}

/// Tries each intent in its order; the error is what the first one gives instead.
fn first_that_reproduces(
    pool: &Pool,
    record: &SwapRecord,
    before: SqrtPriceX96,
) -> Result<(Intent, SwapOutcome), String> {
    let mut first = None;
    for intent in Intent::candidates(record, before) {
        match intent.quote(pool) {
            Ok(outcome) if reproduces(&outcome, record) => return Ok((intent, outcome)),
            Ok(outcome) => {
                first.get_or_insert_with(|| {
                    numbers(&SwapRecord {
                        amount0: outcome.amount0,
                        amount1: outcome.amount1,
                        sqrt_price: outcome.sqrt_price,
                        liquidity: outcome.liquidity,
                        tick: outcome.tick,
                    })
                });
            }
            Err(revert) => {
                first.get_or_insert_with(|| revert.to_string());
            }
        }
    }
    Err(first.unwrap_or_else(|| "no swap".to_owned()))
}

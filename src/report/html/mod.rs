//! stub
use super::RunReport;
/// stub
pub fn html(_r:&RunReport<'_>)->String{String::new()}

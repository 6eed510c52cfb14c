//! The program from outside, on real servers: who may do what, how it starts and how it stops.

#[cfg(test)]
mod broker;
#[cfg(test)]
mod callers;
#[cfg(test)]
mod databases;
#[cfg(test)]
mod deployment;
#[cfg(test)]
mod exporting;
#[cfg(test)]
mod gaps;
#[cfg(test)]
mod healing;
#[cfg(test)]
mod mending;
#[cfg(test)]
mod people;
#[cfg(test)]
mod plan_show;
#[cfg(test)]
mod plan_status;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod recorded_day;
#[cfg(test)]
mod road;
#[cfg(test)]
mod running;
#[cfg(test)]
mod start_and_stop;
#[cfg(test)]
mod stock;
#[cfg(test)]
mod three_plans;

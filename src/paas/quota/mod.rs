//! What is available, what containers reserve of it, and how the rest is shared
//! (paas-yaml.md §9.3 to §9.6).

mod stored;

use crate::domain::quota::HardQuota;
use crate::paas::compiled::Resource;
use crate::paas::fault::{Code, Fault};
use crate::paas::node::Place;
use crate::paas::quantity::{BadQuantity, Category, Quantity, display};
use crate::paas::report::{Path, Poisoned, Reports, shown};
use crate::paas::view::View;

pub use stored::{Share, Used, check_pods, share_of, used_by};

/// Every resource there is, and how much of it is left.
#[derive(Debug, Default)]
pub(super) struct Availability {
    rows: Vec<Row>,
    /// Whether some row could not be read, so that its resource is not known to be missing.
    has_gaps: bool,
}

#[derive(Debug)]
struct Row {
    kind: String,
    category: Category,
    origin: Origin,
    initial: u64,
    capacity_left: u64,
    require_left: u64,
    /// How many replicas of containers get an automatic share.
    takers: u64,
    /// Said when the first of them would get nothing.
    nothing_left: Option<Fault>,
}

impl Row {
    fn new(kind: String, category: Category, origin: Origin, initial: u64, requires: u64) -> Self {
        let (capacity_left, require_left) = (initial, requires);
        let (takers, nothing_left) = (0, None);
        Self { kind, category, origin, initial, capacity_left, require_left, takers, nothing_left }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Account,
    File,
}

impl Origin {
    const fn owner(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::File => "deployment",
        }
    }
}

impl Availability {
    /// Begins with what the account grants.
    pub(super) fn new(hard: &[HardQuota], reports: &mut Reports) -> Self {
        let mut table = Self::default();
        for quota in hard {
            match hard_row(quota) {
                Ok(row) if table.rows.iter().any(|known| known.kind == row.kind) => {
                    let message = "there are two rows for it".to_owned();
                    reports.add(account_fault(quota, Code::DuplicateQuota, &message));
                }
                Ok(row) => table.rows.push(row),
                Err((code, message)) => {
                    reports.add(account_fault(quota, code, &message));
                    table.has_gaps = true;
                }
            }
        }
        table
    }

    /// Narrows it by the file's own quotas.
    pub(super) fn narrow(
        &mut self,
        quotas: Result<Vec<View<'_>>, Poisoned>,
        reports: &mut Reports,
    ) {
        let Ok(rows) = quotas else {
            self.has_gaps = true;
            return;
        };
        for row in rows {
            if let Err(Poisoned) = self.soft(&row, reports) {
                self.has_gaps = true;
            }
        }
    }

    fn soft(&mut self, view: &View<'_>, reports: &mut Reports) -> Result<(), Poisoned> {
        let kind = view.required("type")?;
        let name = kind.text()?.value.clone();
        let category_view = view.required("category")?;
        let category = match category_view.text()?.value.as_str() {
            "memory" => Category::Memory,
            _ => Category::Compute,
        };
        let known = self.rows.iter().position(|row| row.kind == name);
        let hard = known.and_then(|index| self.rows.get(index));
        if hard.is_some_and(|row| row.origin == Origin::File) {
            let message = format!("there is a quota for `{name}` above");
            return Err(reports.add(kind.fault(Code::DuplicateQuota, message)));
        }
        if let Some(row) = hard.filter(|row| row.category != category) {
            let message =
                format!("quota `{name}` is `{}` in the account, `{category}` here", row.category);
            return Err(reports.add(category_view.fault(Code::CategoryMismatch, message)));
        }
        let granted = hard.map(|row| (row.initial, row.require_left));
        let capacity_view = view.required("capacity")?;
        let capacity =
            amount(&capacity_view, &name, category, granted.map(|(all, _)| all), reports)?;
        let above = |view: &View<'_>, asked, granted| {
            let (asked, granted) = (display(category, asked), display(category, granted));
            let message = format!("quota `{name}`: {asked} asked, the account grants {granted}");
            view.fault(Code::AboveAccount, message)
        };
        if let Some((granted, _)) = granted.filter(|(granted, _)| capacity > *granted) {
            return Err(reports.add(above(&capacity_view, capacity, granted)));
        }
        let guaranteed = granted.map(|(_, guaranteed)| guaranteed);
        let requires = match view.field("requires")? {
            None => guaranteed.map_or(capacity, |guaranteed| guaranteed.min(capacity)),
            Some(field) => {
                let whole = granted.map_or(capacity, |(all, _)| all);
                let requires = amount(&field, &name, category, Some(whole), reports)?;
                if requires > capacity {
                    let (requires, capacity) =
                        (display(category, requires), display(category, capacity));
                    let message =
                        format!("quota `{name}`: requires {requires} exceeds capacity {capacity}");
                    return Err(reports.add(field.fault(Code::RequiresAboveCapacity, message)));
                }
                if let Some(granted) = guaranteed.filter(|granted| requires > *granted) {
                    return Err(reports.add(above(&field, requires, granted)));
                }
                requires
            }
        };
        let row = Row::new(name, category, Origin::File, capacity, requires);
        match known.and_then(|index| self.rows.get_mut(index)) {
            Some(hard) => *hard = row,
            None => self.rows.push(row),
        }
        Ok(())
    }

    /// Reserves one row of a container's `resources` for all replicas of its pod.
    pub(super) fn reserve(
        &mut self,
        view: &View<'_>,
        replicas: u32,
        reports: &mut Reports,
    ) -> Result<Resource, Poisoned> {
        let kind = view.required("type")?;
        let name = kind.text()?.value.clone();
        let Some(row) = self.rows.iter_mut().find(|row| row.kind == name) else {
            if self.has_gaps {
                return Err(Poisoned);
            }
            let message = format!("resource `{name}` is not available");
            let hint = "declare it in `paas.quotas`, or ask for a quota".to_owned();
            return Err(reports.add(kind.fault(Code::NoSuchResource, message).hint(hint)));
        };
        let (category, whole) = (row.category, Some(row.initial));
        let require_view = view.required("require")?;
        let require = amount(&require_view, &name, category, whole, reports)?;
        let limit_view = view.field("limit")?;
        let limit = match &limit_view {
            None => require,
            Some(view) => amount(view, &name, category, whole, reports)?,
        };
        let limit_view = limit_view.as_ref().unwrap_or(&require_view);
        if require > limit {
            let (require, limit) = (display(category, require), display(category, limit));
            let message = format!("limit {limit} is lower than require {require}");
            return Err(reports.add(limit_view.fault(Code::LimitBelowRequire, message)));
        }
        let owner = row.origin.owner();
        let quota = display(category, row.initial);
        let over = |asked, left, of: &str| {
            let (asked, left) = (display(category, asked), display(category, left));
            format!("`{name}`: {asked} × {replicas} asked, {left} left of {of}")
        };
        let taken = |amount: u64, left: u64| {
            amount.checked_mul(u64::from(replicas)).and_then(|all| left.checked_sub(all))
        };
        let Some(capacity_left) = taken(limit, row.capacity_left) else {
            let message = over(limit, row.capacity_left, &format!("the {owner} quota ({quota})"));
            return Err(reports.add(limit_view.fault(Code::OverCapacity, message)));
        };
        let Some(require_left) = taken(require, row.require_left) else {
            let of = format!("what the {owner} quota guarantees");
            let message = over(require, row.require_left, &of);
            return Err(reports.add(require_view.fault(Code::OverGuarantee, message)));
        };
        (row.capacity_left, row.require_left) = (capacity_left, require_left);
        Ok(Resource { kind: name, require, limit, automatic: false })
    }

    /// Notes that a container gets a share of everything it has no row for.
    pub(super) fn enter(&mut self, container: &View<'_>, explicit: &[Resource], replicas: u32) {
        for row in &mut self.rows {
            if replicas > 0 && explicit.iter().all(|resource| resource.kind != row.kind) {
                row.takers += u64::from(replicas);
                row.nothing_left.get_or_insert_with(|| {
                    let message = format!("`{}`: nothing is left for this container", row.kind);
                    let hint = "give it a row in `resources`, or raise the quota".to_owned();
                    container.key_fault(Code::NothingToShare, message).hint(hint)
                });
            }
        }
    }

    /// What every container without a row for it gets, per resource, in the order of the table.
    pub(super) fn shares(self, reports: &mut Reports) -> Vec<Resource> {
        let shared = self.rows.into_iter().filter_map(|row| {
            let (require, limit) = share(row.capacity_left, row.require_left, row.takers)?;
            if let (0, Some(fault)) = (limit, row.nothing_left) {
                reports.add(fault);
            }
            Some(Resource { kind: row.kind, require, limit, automatic: true })
        });
        shared.collect()
    }
}

/// What an account grants of a resource: thousandths, or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bound of all that is guaranteed.
    pub requires: u64,
    /// Bound of all limits.
    pub capacity: u64,
}

/// Reads a row of an account's.
///
/// # Errors
///
/// What is wrong with it.
pub fn check_quota(quota: &HardQuota) -> Result<Bounds, String> {
    match hard_row(quota) {
        Ok(row) => Ok(Bounds { requires: row.require_left, capacity: row.capacity_left }),
        Err((_, message)) => Err(message),
    }
}

/// Reads a row of the account's.
fn hard_row(quota: &HardQuota) -> Result<Row, (Code, String)> {
    let category: Category = quota.category.parse().map_err(|_unknown| {
        (Code::UnknownCategory, format!("`{}` is no category", shown(&quota.category)))
    })?;
    let read = |text: &str| {
        // Blanks before the unit are a matter of taste here, not in files.
        let text: String = text.split_whitespace().collect();
        let bad = |code| (code, format!("\"{}\" is no {category} quantity", shown(&text)));
        let quantity = Quantity::parse(&text).ok_or_else(|| bad(Code::BadQuantity))?;
        quantity.resolve(category, None).map_err(|problem| match problem {
            BadQuantity::Relative => {
                (Code::RelativeAccountQuota, format!("\"{}\" must be absolute", shown(&text)))
            }
            BadQuantity::Unit | BadQuantity::TooLarge | BadQuantity::Percentage => {
                bad(Code::BadQuantity)
            }
        })
    };
    let capacity = read(&quota.capacity)?;
    let requires = match quota.requires.as_deref().map(str::trim) {
        None | Some("" | "0") => capacity,
        Some(text) => read(text)?,
    };
    if requires > capacity {
        let (requires, capacity) = (display(category, requires), display(category, capacity));
        let message = format!("requires {requires} exceeds capacity {capacity}");
        return Err((Code::RequiresAboveCapacity, message));
    }
    Ok(Row::new(quota.kind.clone(), category, Origin::Account, capacity, requires))
}

/// A fault of the account, which has no place in the file.
fn account_fault(quota: &HardQuota, code: Code, message: &str) -> Fault {
    let kind = shown(&quota.kind);
    let message = format!("the account's quota `{kind}`: {message}");
    Fault::new(code, &Path::default(), Place::NOWHERE, message)
        .hint("an administrator of the account can mend it".to_owned())
}

/// What each of so many takers is guaranteed and may use at most of what is left.
fn share(capacity_left: u64, require_left: u64, takers: u64) -> Option<(u64, u64)> {
    let percent = 100_u64.checked_div(takers)?;
    let part = |percent: u64| {
        // Less than a hundredfold of 64 bits, and then its hundredth.
        let part = u128::from(capacity_left) * u128::from(percent) / 100;
        u64::try_from(part).unwrap_or(capacity_left)
    };
    let limit = if percent > 0 { part(percent) } else { capacity_left / takers };
    let require = part(percent.div_ceil(10)).min(limit).min(require_left / takers);
    Some((require, limit))
}

/// Reads an amount; a percentage is one of `whole`.
fn amount(
    view: &View<'_>,
    kind: &str,
    category: Category,
    whole: Option<u64>,
    reports: &mut Reports,
) -> Result<u64, Poisoned> {
    let text = &view.text()?.value;
    let quantity = Quantity::parse(text).ok_or(Poisoned)?;
    quantity.resolve(category, whole).map_err(|bad| {
        reports.add(match bad {
            BadQuantity::Unit => {
                let message = format!("\"{text}\" is not a {category} quantity");
                let hint = match category {
                    Category::Compute => "write 2, 0.5 or 500m",
                    Category::Memory => "write bytes, or 512Ki, 64Mi, 1.5Gi, 2G and the like",
                };
                view.fault(Code::BadQuantity, message).hint(hint.to_owned())
            }
            BadQuantity::TooLarge => {
                view.fault(Code::BadQuantity, format!("\"{text}\" is too much"))
            }
            BadQuantity::Percentage => {
                view.fault(Code::BadPercentage, format!("\"{text}\" is not between 0% and 100%"))
            }
            BadQuantity::Relative => {
                let message = format!("quota `{kind}`: the account defines none");
                let hint = "use an absolute value".to_owned();
                view.fault(Code::RelativeToNothing, message).hint(hint)
            }
        })
    })
}

#[cfg(test)]
mod tests;

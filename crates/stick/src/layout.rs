//! Which cells of an entry hold what.

use hawser_cfg::model::{DataType, Form, StickTable, Stored};

/// Where the data of a table's entries are.
#[derive(Debug)]
pub struct Layout {
    /// By data type.
    fields: [Option<Field>; DataType::COUNT],
    /// Cells of an entry.
    pub(crate) cells: usize,
}

/// One stored data type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Field {
    pub(crate) data: DataType,
    /// Its first cell; texts have none.
    pub(crate) first: usize,
    /// Elements of the array.
    pub(crate) count: u32,
    /// Period of a rate (ms).
    pub(crate) period: u32,
}

impl Field {
    /// Cells of one element.
    fn width(&self) -> usize {
        match self.data.form() {
            Form::Text => 0,
            Form::Rate => 2,
            Form::Signed | Form::Count | Form::Bytes => 1,
        }
    }

    /// The first cell of an element, if the array is so long.
    pub(crate) fn cell(&self, index: u32) -> Option<usize> {
        (index < self.count).then(|| self.first + index as usize * self.width())
    }
}

impl Layout {
    /// What a table stores, and the servers of `stick` rules if it is used by them.
    pub fn new(table: &StickTable, servers: bool) -> Self {
        let mut layout = Self { fields: [None; DataType::COUNT], cells: 0 };
        table.store.iter().for_each(|s| layout.add(s));
        if servers {
            for data in [DataType::ServerId, DataType::ServerKey] {
                layout.add(&Stored { data, count: 1, period: 0 });
            }
        }
        layout
    }

    fn add(&mut self, s: &Stored) {
        let field = Field { data: s.data, first: self.cells, count: s.count, period: s.period };
        let slot = &mut self.fields[s.data as usize];
        if slot.is_none() {
            *slot = Some(field);
            self.cells += field.width() * s.count as usize;
        }
    }

    pub(crate) fn field(&self, data: DataType) -> Option<&Field> {
        self.fields[data as usize].as_ref()
    }

    /// The field and the element that stand for a data type: counters that are not stored by themselves are the first
    /// elements of the array, if there is one.
    pub(crate) fn resolve(&self, data: DataType, index: u32) -> Option<(&Field, u32)> {
        if let Some(field) = self.field(data) {
            return Some((field, index)).filter(|_| index < field.count);
        }
        let (array, index) = match data {
            DataType::Gpt0 => (DataType::Gpt, 0),
            DataType::Gpc0 => (DataType::Gpc, 0),
            DataType::Gpc1 => (DataType::Gpc, 1),
            DataType::Gpc0Rate => (DataType::GpcRate, 0),
            DataType::Gpc1Rate => (DataType::GpcRate, 1),
            _ => return None,
        };
        self.field(array).filter(|f| index < f.count).map(|f| (f, index))
    }

    /// Whether a data type is stored.
    pub fn stores(&self, data: DataType) -> bool {
        self.field(data).is_some()
    }

    /// All that is stored, in the order of `show table`.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(store: &[(DataType, u32)]) -> Layout {
        let store = store.iter().map(|(data, count)| Stored { data: *data, count: *count, period: 10 });
        Layout::new(&StickTable { store: store.collect(), ..StickTable::default() }, true)
    }

    #[test]
    fn cells_do_not_overlap() {
        let l = table(&[(DataType::GpcRate, 3), (DataType::ConnCur, 1), (DataType::Gpt, 2)]);
        let cells: Vec<_> =
            l.fields().map(|f| (f.data, f.cell(0), f.cell(f.count - 1), f.cell(f.count))).collect();
        assert_eq!(
            cells,
            [
                (DataType::ServerId, Some(9), Some(9), None),
                (DataType::ConnCur, Some(6), Some(6), None),
                (DataType::ServerKey, Some(10), Some(10), None),
                (DataType::Gpt, Some(7), Some(8), None),
                (DataType::GpcRate, Some(0), Some(4), None),
            ]
        );
        assert_eq!(l.cells, 10);
    }

    #[test]
    fn arrays_stand_for_their_first_elements() {
        let l = table(&[(DataType::Gpc, 1)]);
        let at = |d| l.resolve(d, 0).map(|(f, i)| (f.data, i));
        assert_eq!(at(DataType::Gpc0), Some((DataType::Gpc, 0)));
        assert_eq!((at(DataType::Gpc1), at(DataType::Gpt0), at(DataType::Gpc0Rate)), (None, None, None));
    }
}

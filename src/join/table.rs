//! Rows of numbers by their keys, sorted, no more than so many. One piece of code for every table: the module is small.

/// The numbers of each row stand beside each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    width: usize,
    most: usize,
    keys: Vec<u64>,
    numbers: Vec<f32>,
}

impl Table {
    pub const fn new(width: usize, most: usize) -> Self {
        Self {
            width,
            most,
            keys: Vec::new(),
            numbers: Vec::new(),
        }
    }

    pub fn is_full(&self) -> bool {
        self.keys.len() >= self.most
    }

    pub fn get(&self, key: u64) -> Option<&[f32]> {
        self.row(self.keys.binary_search(&key).ok()?)
    }

    /// The row, which is added as `first` says where there is none. `None` where there is no room.
    pub fn row_mut(&mut self, key: u64, first: &[f32]) -> Option<&mut [f32]> {
        let place = match self.keys.binary_search(&key) {
            Ok(place) => place,
            Err(_) if self.is_full() => return None,
            Err(place) => {
                self.make_room(place);
                *self.keys.get_mut(place)? = key;
                let row = self.numbers_mut(place)?;
                let numbers = first.iter().chain(core::iter::repeat(&0.0));
                row.iter_mut()
                    .zip(numbers)
                    .for_each(|(to, from)| *to = *from);
                place
            }
        };
        self.numbers_mut(place)
    }

    pub fn rows(&self) -> impl Iterator<Item = (u64, &[f32])> {
        let keys = self.keys.iter().enumerate();
        keys.map(|(place, key)| (*key, self.row(place).unwrap_or_default()))
    }

    /// The rows from one key to another, both included.
    pub fn between(&self, first: u64, last: u64) -> impl Iterator<Item = (u64, &[f32])> {
        let start = self.keys.partition_point(|key| *key < first);
        let rows = (start..self.keys.len()).map_while(|place| {
            let key = self.keys.get(place)?;
            Some((*key, self.row(place)?))
        });
        rows.take_while(move |(key, _)| *key <= last)
    }

    pub fn halve(&mut self) {
        self.numbers.iter_mut().for_each(|number| *number *= 0.5);
    }

    pub fn retain(&mut self, keep: &dyn Fn(u64, &[f32]) -> bool) {
        let mut kept = Self::new(self.width, self.most);
        for (key, row) in self.rows().filter(|(key, row)| keep(*key, row)) {
            kept.keys.push(key);
            kept.numbers.extend_from_slice(row);
        }
        *self = kept;
    }

    /// The number of rows, then each key and its numbers.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let count = u32::try_from(self.keys.len()).unwrap_or(0);
        bytes.extend_from_slice(&count.to_le_bytes());
        for (key, row) in self.rows() {
            bytes.extend_from_slice(&key.to_le_bytes());
            encode(row, bytes);
        }
    }

    /// Replaces all rows by those that were encoded. Returns what follows; `None` where that cannot be a table.
    pub fn decode<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (count, mut rest) = bytes.split_first_chunk::<4>()?;
        let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
        if count > self.most {
            return None;
        }
        for _ in 0..count {
            let (key, after) = rest.split_first_chunk::<8>()?;
            let key = u64::from_le_bytes(*key);
            if self.keys.last().is_some_and(|last| *last >= key) {
                return None;
            }
            self.keys.push(key);
            let start = self.numbers.len();
            self.numbers.resize(start.saturating_add(self.width), 0.0);
            rest = decode(self.numbers.get_mut(start..)?, after)?;
        }
        Some(rest)
    }

    fn row(&self, place: usize) -> Option<&[f32]> {
        let start = place.saturating_mul(self.width);
        self.numbers.get(start..)?.get(..self.width)
    }

    fn numbers_mut(&mut self, place: usize) -> Option<&mut [f32]> {
        let start = place.saturating_mul(self.width);
        self.numbers.get_mut(start..)?.get_mut(..self.width)
    }

    /// Moves all rows from `place` on by one.
    fn make_room(&mut self, place: usize) {
        let keys = self.keys.iter().skip(place).copied();
        let keys: Vec<u64> = keys.collect();
        let start = place.saturating_mul(self.width);
        let numbers: Vec<f32> = self.numbers.iter().skip(start).copied().collect();
        self.keys.truncate(place);
        self.keys.push(0);
        self.keys.extend_from_slice(&keys);
        self.numbers.truncate(start);
        self.numbers.resize(start.saturating_add(self.width), 0.0);
        self.numbers.extend_from_slice(&numbers);
    }
}

pub fn encode(numbers: &[f32], bytes: &mut Vec<u8>) {
    for number in numbers {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
}

/// Reads so many numbers that can be counts, and returns what follows them.
pub fn decode<'a>(numbers: &mut [f32], bytes: &'a [u8]) -> Option<&'a [u8]> {
    let mut rest = bytes;
    for number in numbers {
        let (first, after) = rest.split_first_chunk::<4>()?;
        *number = f32::from_le_bytes(*first);
        if !number.is_finite() || *number < 0.0 {
            return None;
        }
        rest = after;
    }
    Some(rest)
}

//! Methods of maps: those of `java.util.Map`.

use super::{Called, key, position};
use crate::value::MapId;
use crate::{Heap, Value};

pub(super) fn call(heap: &mut Heap, map: MapId, name: &str, arguments: &[Value]) -> Called {
    match (name, arguments) {
        ("get", [wanted]) => {
            let wanted = key(heap, wanted)?;
            Ok(heap.entries(map).get(&wanted).cloned().unwrap_or_default())
        }
        ("getOrDefault", [wanted, otherwise]) => {
            let wanted = key(heap, wanted)?;
            Ok(heap.entries(map).get(&wanted).unwrap_or(otherwise).clone())
        }
        ("put", [place, value]) => {
            let place = key(heap, place)?;
            heap.put(map, &place, value.clone())
        }
        ("putIfAbsent", [place, value]) => {
            let place = key(heap, place)?;
            match heap.entries(map).get(&place) {
                Some(present) => Ok(present.clone()),
                None => heap.put(map, &place, value.clone()),
            }
        }
        ("putAll", [Value::Map(others)]) => {
            for (place, value) in heap.entries(*others).clone() {
                heap.put(map, &place, value)?;
            }
            Ok(Value::Null)
        }
        ("remove", [wanted]) => {
            let wanted = key(heap, wanted)?;
            Ok(heap.entries_mut(map).shift_remove(&wanted).unwrap_or_default())
        }
        ("clear", []) => {
            heap.entries_mut(map).clear();
            Ok(Value::Null)
        }
        ("containsKey", [wanted]) => {
            let wanted = key(heap, wanted)?;
            Ok(Value::Flag(heap.entries(map).contains_key(&wanted)))
        }
        ("containsValue", [wanted]) => {
            let values: Vec<Value> = heap.entries(map).values().cloned().collect();
            Ok(Value::Flag(position(heap, &values, wanted)?.is_some()))
        }
        ("size", []) => Ok(Value::from(heap.entries(map).len())),
        ("isEmpty", []) => Ok(Value::Flag(heap.entries(map).is_empty())),
        ("keySet", []) => {
            let keys = heap.entries(map).keys().cloned().map(Value::Text).collect();
            heap.list(keys)
        }
        ("values", []) => {
            let values = heap.entries(map).values().cloned().collect();
            heap.list(values)
        }
        ("entrySet", []) => {
            let entries = heap.entries(map).clone();
            let entries = entries.into_iter().map(|(key, value)| heap.entry(&key, value));
            let entries = entries.collect::<Result<_, _>>()?;
            heap.list(entries)
        }
        _ => Ok(Value::Null),
    }
}

//! What the vectors of one output have in common, or else they could not be compared.

/// Vectors of one length, by models that are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Space {
    dimensions: Option<usize>,
    /// Those of an earlier run; others may answer only if there are none.
    models: Vec<String>,
}

impl Space {
    /// Takes in a vector of so many `dimensions` by `model`, if it is known by whom; else it says what differs.
    pub(crate) fn admit(&mut self, dimensions: usize, model: Option<&str>) -> Result<(), String> {
        if let Some(model) =
            model.filter(|model| !self.models.is_empty() && !self.models.iter().any(|own| own == model))
        {
            let own = self.models.iter().map(|own| name(own)).collect::<Vec<_>>().join(" and ");
            return Err(format!(
                "the answer is by the model {}, but the vectors kept are by {own}; ask for that one by --model, or write to \
                 another --out",
                name(model)
            ));
        }
        match *self.dimensions.get_or_insert(dimensions) {
            own if own == dimensions => Ok(()),
            own => Err(format!(
                "the server's answer is not usable: it holds vectors of {dimensions} numbers, where those before have {own}, \
                 so another model has answered; write to another --out for that one"
            )),
        }
    }

    /// An earlier run has a vector of so many `dimensions` by `model`, if it is known by whom.
    pub(crate) fn keep(&mut self, dimensions: usize, model: Option<&str>) {
        self.dimensions = Some(dimensions);
        if let Some(model) = model.filter(|model| !self.models.iter().any(|own| own == model)) {
            self.models.push(model.to_owned());
        }
    }

    pub(crate) const fn dimensions(&self) -> Option<usize> {
        self.dimensions
    }
}

/// As it is shown: a server may call itself anything.
fn name(model: &str) -> String {
    format!("{:?}", model.chars().take(100).collect::<String>())
}

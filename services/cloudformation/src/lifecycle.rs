//! One resource of a stack: made, changed, removed.
//!
//! Invariant: before anything is made or changed, the store knows what (see [`Step`]), so that whoever comes
//! after a crash can tell what it has to look for.

use pagoda_base::ids;
use pagoda_protocol::ApiError;
use pagoda_store::Commit;

use crate::execute::Run;
use crate::resource::{self, Created, Done, Failure, Kind, Wanted};
use crate::table::{Begun, RESOURCES, StackResource, Unsettled, in_stack};
use crate::template::intrinsic::Made;
use crate::template::{Object, Policy, Resource};

impl Run {
    /// Makes a resource, in the place of `old` if there is one.
    pub(crate) async fn make(
        &mut self,
        name: &str,
        wanted: &Resource,
        properties: Object,
        old: Option<StackResource>,
    ) -> Done<Made> {
        let kind = kind_of(&wanted.kind)?;
        let generated = self.generated_name(name);
        let to_make = Wanted { name: &generated, properties: &properties };
        let others = match kind.present(&self.calls(), &to_make).await {
            Ok(others) => others,
            Err(failure) => {
                return Err(self.failed((name, "", &wanted.kind), "CREATE_FAILED", failure).await);
            }
        };
        let begun = match old {
            Some(old) => Begun::Replacement { old: Box::new(old) },
            None => Begun::Creation,
        };
        let planned = self.planned(name, wanted, &generated, &properties, others);
        let commit = self.begin(name, begun)?;
        self.put(planned.clone(), commit).await?;
        match kind.create(&self.calls(), &to_make).await {
            Ok(created) => self.record(name, wanted, properties, created, "CREATE_COMPLETE").await,
            Err(failure) => {
                let (status, reason) = ("CREATE_FAILED".to_owned(), Some(failure.0.clone()));
                self.put(StackResource { status, reason, ..planned }, Commit::new()).await?;
                Err(of_resource(name, failure))
            }
        }
    }

    /// A resource that is about to be made, and may or may not exist from now on.
    fn planned(
        &self,
        name: &str,
        wanted: &Resource,
        generated: &str,
        properties: &Object,
        others: Vec<String>,
    ) -> StackResource {
        StackResource {
            logical: name.to_owned(),
            kind: wanted.kind.clone(),
            physical: generated.to_owned(),
            reference: generated.to_owned(),
            attributes: Object::new(),
            properties: properties.clone(),
            status: "CREATE_IN_PROGRESS".into(),
            reason: None,
            retain: false,
            retain_replaced: false,
            changed: self.cfn.clock.now(),
            unsettled: Some(Unsettled { others }),
        }
    }

    /// Gives a resource other properties.
    pub(crate) async fn change(
        &mut self,
        wanted: &Resource,
        old: StackResource,
        properties: Object,
    ) -> Done<Made> {
        let kind = kind_of(&wanted.kind)?;
        let name = old.logical.clone();
        let what = (&*name, &*old.physical, &*wanted.kind);
        if let Err(failure) = kind.check_update(&old.properties, &properties) {
            return Err(self.failed(what, "UPDATE_FAILED", failure).await);
        }
        let begun = Begun::Update { old: Box::new(old.clone()), properties: properties.clone() };
        let commit = self.begin(&name, begun)?;
        let event = self.cfn.event(&self.stack, what, "UPDATE_IN_PROGRESS", None)?;
        self.commit(commit.and(event)).await?;
        let new = Wanted { name: &old.physical, properties: &properties };
        match kind.update(&self.calls(), &old.physical, &old.properties, &new).await {
            Ok(mut created) => {
                // What only its creation told stays known.
                let mut attributes = old.attributes.clone();
                attributes.extend(created.made.attributes);
                created.made.attributes = attributes;
                self.record(&name, wanted, properties, created, "UPDATE_COMPLETE").await
            }
            Err(failure) => Err(self.failed(what, "UPDATE_FAILED", failure).await),
        }
    }

    /// Keeps what a resource became.
    async fn record(
        &mut self,
        name: &str,
        wanted: &Resource,
        properties: Object,
        created: Created,
        status: &str,
    ) -> Done<Made> {
        let resource = StackResource {
            logical: name.to_owned(),
            kind: wanted.kind.clone(),
            physical: created.physical,
            reference: created.made.reference.clone(),
            attributes: created.made.attributes.clone(),
            properties,
            status: status.to_owned(),
            reason: None,
            retain: wanted.deletion != Policy::Delete,
            retain_replaced: wanted.replacement == Policy::Retain,
            changed: self.cfn.clock.now(),
            unsettled: None,
        };
        self.put(resource, Commit::new()).await?;
        Ok(created.made)
    }

    /// Keeps a resource's record, with its event, along with what else `commit` does.
    pub(crate) async fn put(&mut self, resource: StackResource, commit: Commit) -> Done<()> {
        let key = in_stack(&RESOURCES, &self.stack.id, &resource.logical);
        let commit = RESOURCES.put(commit, &key, &resource).map_err(ApiError::from)?;
        let physical = if resource.unsettled.is_some() { "" } else { &resource.physical };
        let what = (&*resource.logical, physical, &*resource.kind);
        let event = self.cfn.event(&self.stack, what, &resource.status, resource.reason.as_deref())?;
        self.commit(commit.and(event)).await?;
        self.existing.insert(resource.logical.clone(), resource);
        Ok(())
    }

    /// Notes what is to become of a resource that stays as it is.
    pub(crate) async fn note_policies(&mut self, old: &StackResource, wanted: &Resource) -> Done<()> {
        let (retain, retain_replaced) =
            (wanted.deletion != Policy::Delete, wanted.replacement == Policy::Retain);
        if (old.retain, old.retain_replaced) != (retain, retain_replaced) {
            let noted = StackResource { retain, retain_replaced, ..old.clone() };
            self.put(noted, Commit::new()).await?;
        }
        Ok(())
    }

    /// Removes a resource and its record.
    pub(crate) async fn remove(&mut self, resource: &StackResource) -> Done<()> {
        self.remove_one(resource).await?;
        self.forget(resource, "DELETE_COMPLETE").await.map_err(Failure::from)
    }

    /// Removes a resource, or all that the attempt to make it left behind.
    pub(crate) async fn remove_one(&mut self, resource: &StackResource) -> Done<()> {
        let kind = kind_of(&resource.kind)?;
        let found = match &resource.unsettled {
            None => vec![resource.physical.clone()],
            Some(Unsettled { others }) => {
                let wanted = Wanted { name: &resource.physical, properties: &resource.properties };
                let present = kind.present(&self.calls(), &wanted).await?;
                present.into_iter().filter(|id| !others.contains(id)).collect()
            }
        };
        for physical in found {
            let what = (&*resource.logical, &*physical, &*resource.kind);
            let event = self.cfn.event(&self.stack, what, "DELETE_IN_PROGRESS", None)?;
            self.commit(event).await?;
            if let Err(failure) = kind.delete(&self.calls(), &physical, &resource.properties).await {
                return Err(self.failed(what, "DELETE_FAILED", failure).await);
            }
        }
        Ok(())
    }

    pub(crate) async fn forget(&mut self, resource: &StackResource, status: &str) -> Result<(), ApiError> {
        let key = in_stack(&RESOURCES, &self.stack.id, &resource.logical);
        let mut commit = Commit::new().delete(key);
        if resource.unsettled.is_none() {
            let what = (&*resource.logical, &*resource.physical, &*resource.kind);
            commit = commit.and(self.cfn.event(&self.stack, what, status, None)?);
        }
        self.commit(commit).await?;
        self.existing.remove(&resource.logical);
        Ok(())
    }

    /// Tells of a failure; what it means for the stack.
    pub(crate) async fn failed(&self, what: (&str, &str, &str), status: &str, failure: Failure) -> Failure {
        let told = match self.cfn.event(&self.stack, what, status, Some(&failure.0)) {
            Ok(event) => self.commit(event).await,
            Err(error) => Err(error),
        };
        told.map_or_else(Failure::from, |()| of_resource(what.0, failure))
    }

    /// `{stack}-{resource}-{random}`, short enough for every service.
    fn generated_name(&self, logical: &str) -> String {
        let cut = |text: &str, chars: usize| text.chars().take(chars).collect::<String>();
        let random = ids::short_id(12, &*self.cfn.random);
        format!("{}-{}-{random}", cut(&self.stack.name, 24), cut(logical, 24))
    }
}

fn of_resource(name: &str, failure: Failure) -> Failure {
    Failure(format!("The following resource(s) failed: [{name}]. {}", failure.0))
}

pub(crate) fn kind_of(name: &str) -> Done<&'static dyn Kind> {
    resource::kind(name).ok_or_else(|| Failure(format!("Unrecognized resource type {name}")))
}

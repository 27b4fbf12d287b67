use pagoda_protocol::*;
static P: schema::Pattern = schema::Pattern::new("[a-z]+");
static NAME: Schema = Schema::new("TableName", Kind::String).min(3).pattern(&P);
static TREE: Schema =
    Schema::structure("Tree", &[Member::new("Name", &NAME).required(), Member::new("Children", &TREES)]);
static TREES: Schema = Schema::list("Trees", &Member::new("member", &TREE));
static OP: OperationSpec = OperationSpec {
    name: "A",
    method: "POST",
    uri: "/",
    status: 200,
    input: &TREE,
    output: &TREE,
    output_root: "",
    streams_input: false,
};
struct A;
impl Operation for A {
    type Input = Unit;
    type Output = Unit;
    const SPEC: &'static OperationSpec = &OP;
}
#[test]
fn statics_may_refer_to_each_other() {
    assert_eq!(A::SPEC.input.members[1].target.element.unwrap().target.name, "Tree");
}

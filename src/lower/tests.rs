//! Small programs and their states, as `aio states` shows them.

use super::{Options, lower, verify};
use crate::code::readable::{Format, functions, render};
use crate::code::{Code, CodeKind, Place, StatementKind, Tree, TreeKind};
use crate::source::Source;
use crate::syntax::{SyntaxError, parse};
use std::rc::Rc;

fn lowered(text: &str) -> Result<Rc<Code>, SyntaxError> {
    let source = Source::new("test.aio", text);
    let module = parse(&source)?;
    let code = lower(&module, &source, &Options::default())?;
    verify::verify_all(&code).expect("lowered code keeps its promises");
    Ok(code)
}

/// The states of the first code in the text (after the module) by default.
fn states(text: &str) -> String {
    let module = lowered(text).expect("a legal program");
    let codes = functions(&module);
    render(codes.get(1).unwrap_or(&codes[0]), Format::Text)
}

fn code_named(text: &str, qualname: &str) -> Rc<Code> {
    let module = lowered(text).expect("a legal program");
    functions(&module)
        .into_iter()
        .find(|code| &*code.qualname == qualname)
        .expect("it is defined")
}

#[track_caller]
fn assert_states(text: &str, expected: &str) {
    let found = states(text);
    assert!(found.trim() == expected.trim(), "\n{found}");
}

#[track_caller]
fn assert_refused(text: &str, message: &str, place: &str) {
    let error = lowered(text).err().expect("refused");
    assert_eq!(error.message, message);
    let source = Source::new("", text);
    assert_eq!(source.slice(error.span), place);
}

#[test]
fn what_does_not_suspend_stays_in_one_state() {
    assert_states(
        "def f(n):\n    for i in range(n):\n        if i % 2: continue\n        try: print(i)\n        finally: n -= 1\n    return n\n",
        "
function f(n)  (test.aio:1)
  state 0  lines 2-6
    for i in range(n):
        if i % 2:
            continue
        try:
            print(i)
        finally:
            n -= 1
    return n
",
    );
}

#[test]
fn operands_before_an_await_are_spilled_from_left_to_right() {
    assert_states(
        "async def f(a, b):\n    return a + 1 + g(b, 2, await b) + a\n",
        "
coroutine f(a, b)  (test.aio:1)
  state 0  line 2
    t0 = a + 1
    t1 = g
    t2 = b
    await b -> t3, then state 1
      lives across: a
  state 1  line 2
    return t0 + t1(t2, 2, t3) + a
",
    );
}

#[test]
fn an_awaited_call_stays_one_tree() {
    assert_states(
        "async def f():\n    x = await g(1, h(2))\n    await g(x)\n    return await g(x)\n",
        "
coroutine f()  (test.aio:1)
  state 0  line 2
    await g(1, h(2)) -> x, then state 1
  state 1  line 3
    await g(x), then state 2
      lives across: x
  state 2  line 4
    await g(x) -> t0, then state 3
  state 3  line 4
    return t0
",
    );
}

#[test]
fn only_the_parts_that_suspend_are_split() {
    assert_states(
        "async def f(xs):\n    total = 0\n    for x in xs:\n        if x: total += await x\n        else: break\n    return total\n",
        "
coroutine f(xs)  (test.aio:1)
  state 0  lines 2-3
    total = 0
    t0 = iter(xs)
    goto state 1
  state 1  line 3
    next of t0 -> x: state 2, at its end: state 6
  state 2  line 4
    branch x: state 3 else state 5
  state 3  line 4
    t1 = total
    await x -> t2, then state 4
  state 4  line 4
    total = (t1 += t2)
    goto state 1
  state 5
    clear t0
    goto state 6
  state 6  line 6
    return total
",
    );
}

#[test]
fn finally_runs_on_every_way_out() {
    assert_states(
        "async def f(x):\n    try:\n        return await x\n    except E as e:\n        print(e)\n    finally:\n        await close()\n",
        "
coroutine f(x)  (test.aio:1)
  state 0  line 3  on exception: t3, state 2
    await x -> t4, then state 1
  state 1  line 3
    t2 = t4
    t1 = 1
    goto state 4
  state 2  lines 2-4  on exception: t4, state 9
    handle t3
    branch t3 matches E: state 3 else state 8
  state 3  lines 2-5  on exception: t4, state 7
    e = t3
    print(e)
    end of handling
    e = None
    del e
    t1 = 0
    goto state 4
  state 4  line 7
    await close(), then state 5
  state 5
    by t1: 0 state 6, 1 return t2
  state 6
    return
  state 7  line 4  on exception: t0, state 10
    end of handling
    e = None
    del e
    raise t4 again
  state 8  line 2  on exception: t0, state 10
    end of handling
    raise t3 again
  state 9  line 2  on exception: t0, state 10
    end of handling
    raise t4 again
  state 10  line 7  on exception: t1, state 12
    handle t0
    await close(), then state 11
  state 11  line 7
    end of handling
    raise t0 again
  state 12  line 7
    end of handling
    raise t1 again
",
    );
}

#[test]
fn short_circuits_test_each_operand_once() {
    assert_states(
        "async def f(a, b):\n    if a and await b: return 1\n",
        "
coroutine f(a, b)  (test.aio:1)
  state 0  line 2
    branch a: state 1 else state 4
  state 1  line 2
    await b -> t0, then state 2
  state 2  line 2
    branch t0: state 3 else state 4
  state 3  line 2
    return 1
  state 4
    return
",
    );
}

#[test]
fn a_generator_expression_is_a_generator_with_the_first_iterator() {
    let module = lowered("def f(x):\n    return (y + x for y in x)\n").expect("legal");
    let codes = functions(&module);
    assert_eq!(codes[2].kind, CodeKind::Generator);
    assert_eq!(&*codes[2].qualname, "f.<locals>.<genexpr>");
    assert_eq!(codes[2].params.names[0].text(), ".0");
    assert_eq!(
        render(&codes[2], Format::Text),
        "generator f.<locals>.<genexpr>(.0)  (test.aio:2)\n  from around it: x\n  state 0  line 2\n    next of .0 -> y: state 1, at its end: state 2\n  state 1  line 2\n    yield y + x, then state 0\n  state 2\n    return\n"
    );
}

#[test]
fn comprehension_variables_have_slots_of_their_own() {
    let code = code_named("def f(x):\n    y = [x for x in x]\n    return x, y\n", "f");
    let names: Vec<&str> = code.slots.iter().map(|slot| slot.text()).collect();
    assert_eq!(names, ["x", "y", "x"]);
}

#[test]
fn a_walrus_in_a_comprehension_binds_around_it() {
    let code = code_named("def f(xs):\n    [last := x for x in xs]\n    return last\n", "f");
    assert_eq!(
        code.slots.iter().map(|slot| slot.text()).collect::<Vec<_>>(),
        ["xs", "last", "x"]
    );
}

#[test]
fn a_comprehension_in_a_class_body_does_not_see_the_class() {
    let code = code_named("x = 1\nclass A:\n    x = 2\n    y = [x for _ in range(1)]\n", "A");
    fn loads_global(tree: &Tree) -> bool {
        let mut found = matches!(tree.kind, TreeKind::Load(Place::Global(name)) if name.text() == "x");
        tree.each_child(&mut |child| found |= loads_global(child));
        found
    }
    let mut found = false;
    for statement in code.states.iter().flat_map(|state| &state.body) {
        statement.each_tree(&mut |tree| found |= loads_global(tree));
    }
    assert!(found);
}

#[test]
fn super_captures_the_class_cell() {
    let code = code_named("class A:\n    def f(self): return super().f()\n", "A.f");
    assert_eq!(
        code.free.iter().map(|name| name.text()).collect::<Vec<_>>(),
        ["__class__"]
    );
    let class = code_named("class A:\n    def f(self): return super().f()\n", "A");
    assert_eq!(class.cells, [0]);
}

#[test]
fn private_names_are_mangled() {
    let code = code_named(
        "class _C:\n    def f(self, __p): self.__x = __p; return __y__\n",
        "_C.f",
    );
    assert_eq!(code.params.names[1].text(), "_C__p");
    assert!(render(&code, Format::Text).contains("self._C__x = _C__p"));
}

#[test]
fn docstrings_are_cleaned_and_dropped() {
    let code = code_named("def f():\n    '''One.\n\n      Two.\n    '''\n", "f");
    assert_eq!(code.doc.as_deref(), Some("One.\n\nTwo.\n"));
    assert!(code.states[0].body.is_empty());
}

#[test]
fn at_the_prompt_expressions_show_their_values() {
    let source = Source::new("<stdin>", "1\nawait f()\n");
    let module = parse(&source).expect("legal");
    let code = lower(&module, &source, &Options { interactive: true }).expect("legal");
    assert_eq!(code.kind, CodeKind::AsyncModule);
    let shows = code.states.iter().flat_map(|state| &state.body);
    assert_eq!(
        shows
            .filter(|statement| matches!(statement.kind, StatementKind::Show(_)))
            .count(),
        2
    );
}

#[test]
fn errors_have_pythons_words_and_a_place() {
    assert_refused("return 1\n", "'return' outside function", "return 1");
    assert_refused(
        "def f():\n    await x\n",
        "'await' outside async function",
        "await x",
    );
    assert_refused("class A:\n    await x\n", "'await' outside function", "await x");
    assert_refused("break\n", "'break' outside loop", "break");
    assert_refused("continue\n", "'continue' not properly in loop", "continue");
    assert_refused(
        "def f(x, x): pass\n",
        "duplicate argument 'x' in function definition",
        "x",
    );
    assert_refused("f(a=1, a=2)\n", "keyword argument repeated: a", "a=2");
    assert_refused(
        "def f():\n    nonlocal x\n",
        "no binding for nonlocal 'x' found",
        "x",
    );
    assert_refused(
        "def f():\n    print(x)\n    global x\n",
        "name 'x' is used prior to global declaration",
        "x",
    );
    assert_refused(
        "def f():\n    [x async for x in y]\n",
        "asynchronous comprehension outside of an asynchronous function",
        "[x async for x in y]",
    );
    assert_refused(
        "async def f():\n    yield 1\n    return 2\n",
        "'return' with value in async generator",
        "return 2",
    );
    assert_refused(
        "match x:\n    case y: pass\n    case 1: pass\n",
        "name capture 'y' makes remaining patterns unreachable",
        "y",
    );
    assert_refused(
        "*a, *b = c\n",
        "multiple starred expressions in assignment",
        "*a, *b",
    );
    assert_refused(
        "[x := 1 for x in y]\n",
        "assignment expression cannot rebind comprehension iteration variable 'x'",
        "x",
    );
}

#[test]
fn an_await_in_a_plain_function_names_the_function_in_the_help() {
    let error = lowered("def f():\n    await x\n").err().expect("refused");
    assert_eq!(error.help.as_deref(), Some("make it `async def f`"));
}

#[test]
fn long_chains_need_little_stack() {
    // As deep as the parser lets them be; the suspending one spills at every step.
    let sum = format!("async def f(a):\n    return a{}\n", " + a".repeat(4900));
    let calls = format!("def f(a):\n    return a{}\n", ".b()".repeat(2400));
    let awaits = format!("async def f(a):\n    return a{}\n", " + await a".repeat(1000));
    for text in [sum, calls, awaits] {
        let run = move || {
            let code = lowered(&text).expect("legal");
            render(&functions(&code)[1], Format::Dot).len()
        };
        let thread = std::thread::Builder::new()
            .stack_size(64 << 20)
            .spawn(run)
            .expect("a thread");
        assert!(thread.join().is_ok());
    }
}

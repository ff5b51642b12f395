using System.Numerics;

namespace Puna.Text.Templates;

/// <summary>The variable <c>loop</c>: looks ahead at most one item.</summary>
internal sealed class LoopContext
{
    private readonly Budget _budget;
    private readonly Func<object?, int, string>? _recurse;
    private readonly int _depth;
    private IEnumerator<object?> _items;
    private int? _length;
    private object? _before;
    private object? _current;
    private object? _after = Missing.Value;
    private PyTuple? _changed;

    public LoopContext(Budget budget, object? iterable, Func<object?, int, string>? recurse, int depth)
    {
        (_budget, _recurse, _depth) = (budget, recurse, depth);
        _items = PythonTypes.Iterate(budget, iterable).GetEnumerator();
        _length = iterable is LoopContext ? null : PythonTypes.LengthOf(iterable);
    }

    public int Index0 { get; private set; } = -1;

    /// <summary>The number of items; visits the rest where it is not known.</summary>
    public int Length
    {
        get
        {
            if (_length is null)
            {
                var rest = new List<object?>();
                while (_items.MoveNext())
                {
                    _budget.Charge(1);
                    rest.Add(_items.Current);
                }

                _items = rest.GetEnumerator();
                _length = rest.Count + Index0 + 1 + (_after != Missing.Value ? 1 : 0);
            }

            return _length.Value;
        }
    }

    /// <summary>Item and loop, as the loop itself is iterated.</summary>
    public IEnumerable<object?> Pairs
    {
        get
        {
            while (MoveNext(out object? item))
                yield return new PyTuple([item, this]);
        }
    }

    /// <summary>Goes on to the next item.</summary>
    public bool MoveNext(out object? item)
    {
        if (_after != Missing.Value)
        {
            item = _after;
            _after = Missing.Value;
        }
        else if (_items.MoveNext())
        {
            item = _items.Current;
        }
        else
        {
            item = null;
            return false;
        }

        Index0++;
        _before = _current;
        _current = item;
        return true;
    }

    /// <summary>An attribute.</summary>
    public bool TryGet(string name, out object? value)
    {
        value = name switch
        {
            "index" => (BigInteger)(Index0 + 1),
            "index0" => (BigInteger)Index0,
            "first" => Index0 == 0,
            "last" => Peek() == Missing.Value,
            "length" => (BigInteger)Length,
            "revindex" => (BigInteger)(Length - Index0),
            "revindex0" => (BigInteger)(Length - Index0 - 1),
            "depth" => (BigInteger)(_depth + 1),
            "depth0" => (BigInteger)_depth,
            "previtem" => Index0 == 0 ? new Undefined("there is no previous item") : _before,
            "nextitem" => Peek() is var next && next != Missing.Value ? next : new Undefined("there is no next item"),
            "cycle" => new PyFunction("cycle", "method", (_, args) => args.Positional.Count == 0
                ? throw PythonTypes.TypeError("no items for cycling given") : args.Positional[Index0 % args.Positional.Count]),
            "changed" => new PyFunction("changed", "method", Changed),
            _ => Missing.Value,
        };
        return value != Missing.Value;
    }

    /// <summary>Renders the body for items one level down.</summary>
    public string Recurse(object? iterable) => _recurse is null
        ? throw PythonTypes.TypeError("The loop must have the 'recursive' marker to be called recursively.")
        : _recurse(iterable, _depth + 1);

    private object? Peek()
    {
        if (_after == Missing.Value && _items.MoveNext())
            _after = _items.Current;
        return _after;
    }

    private object? Changed(RenderState state, Arguments args)
    {
        var values = new PyTuple([.. args.Positional]);
        bool isChanged = _changed is null || !PythonCompare.AreEqual(state.Budget, _changed, values);
        _changed = isChanged ? values : _changed;
        return isChanged;
    }
}

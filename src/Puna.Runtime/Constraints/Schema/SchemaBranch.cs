using Puna.Runtime.Constraints.Automata;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>Per type of JSON, which values are allowed; null where none is.</summary>
internal sealed class SchemaBranch
{
    public bool Null { get; set; }

    public bool True { get; set; }

    public bool False { get; set; }

    public CodePointDfa? Number { get; set; }

    public CodePointDfa? String { get; set; }

    public ArrayShape? Array { get; set; }

    public ObjectShape? Object { get; set; }

    public bool IsEmpty => !Null && !True && !False && Number is null && String is null && Array is null && Object is null;
}

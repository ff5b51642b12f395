namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>The types that are multiplied as integers, by type.</summary>
internal static class IntegerForms
{
    /// <summary>Whether a type is multiplied as integers.</summary>
    public static bool Supports(DType type) => SuperValues(type) != 0;

    /// <summary>Inputs of a super-block: 32 or 256; 0 for other types.</summary>
    public static int SuperValues(DType type) => type switch
    {
        DType.Q4_0 or DType.Q4_1 or DType.Q5_0 or DType.Q5_1 or DType.Q8_0 => 32,
        DType.Q2_K or DType.Q3_K or DType.Q4_K or DType.Q5_K or DType.Q6_K => 256,
        _ => 0,
    };

    /// <summary>Bytes of a packed super-block of 16 rows.</summary>
    public static int TileSuperBytes(DType type)
    {
        var bytes = default(BytesOf);
        Visit(type, ref bytes);
        return bytes.Result;
    }

    /// <summary>Calls <paramref name="visitor"/> with the form of a type.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The type has none.</exception>
    public static void Visit<TVisitor>(DType type, ref TVisitor visitor)
        where TVisitor : struct, IFormVisitor
    {
        switch (type)
        {
            case DType.Q4_0: visitor.Visit<Q4_0Form>(); break;
            case DType.Q4_1: visitor.Visit<Q4_1Form>(); break;
            case DType.Q5_0: visitor.Visit<Q5_0Form>(); break;
            case DType.Q5_1: visitor.Visit<Q5_1Form>(); break;
            case DType.Q8_0: visitor.Visit<Q8_0Form>(); break;
            case DType.Q2_K: visitor.Visit<Q2KForm>(); break;
            case DType.Q3_K: visitor.Visit<Q3KForm>(); break;
            case DType.Q4_K: visitor.Visit<Q4KForm>(); break;
            case DType.Q5_K: visitor.Visit<Q5KForm>(); break;
            case DType.Q6_K: visitor.Visit<Q6KForm>(); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type.Name(), "no integer form");
        }
    }

    private struct BytesOf : IFormVisitor
    {
        public int Result;

        public void Visit<TForm>()
            where TForm : struct, IIntegerForm => Result = IntegerLayout<TForm>.Bytes;
    }
}

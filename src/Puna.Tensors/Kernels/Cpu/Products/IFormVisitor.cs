namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Something to do with a form that is known only at run time.</summary>
internal interface IFormVisitor
{
    /// <summary>Does it.</summary>
    void Visit<TForm>()
        where TForm : struct, IIntegerForm;
}

using Puna.Formats.Meta;

namespace Puna.Formats.Tests.Meta;

public class MetaSplitsTests
{
    /// <summary>The tables of spec llama1-3.md 3.1 and 4.9.</summary>
    [Theory]
    [InlineData("tok_embeddings.weight", MetaSplit.Embedding)]
    [InlineData("layers.79.attention.wq.weight", MetaSplit.Rows)]
    [InlineData("layers.0.attention.wk.weight", MetaSplit.Rows)]
    [InlineData("layers.0.attention.wv.weight", MetaSplit.Rows)]
    [InlineData("layers.0.attention.wo.weight", MetaSplit.Columns)]
    [InlineData("layers.0.feed_forward.w1.weight", MetaSplit.Rows)]
    [InlineData("layers.0.feed_forward.w2.weight", MetaSplit.Columns)]
    [InlineData("layers.0.feed_forward.w3.weight", MetaSplit.Rows)]
    [InlineData("layers.0.attention_norm.weight", MetaSplit.Replicated)]
    [InlineData("layers.0.ffn_norm.weight", MetaSplit.Replicated)]
    [InlineData("norm.weight", MetaSplit.Replicated)]
    [InlineData("output.weight", MetaSplit.Rows)]
    [InlineData("rope.freqs", MetaSplit.Replicated)]
    [InlineData("text_model.learnable_embedding.weight", MetaSplit.Rows)]
    [InlineData("text_model.cross_attention_layers.3.attention.q_norm.weight", MetaSplit.Replicated)]
    [InlineData("text_model.cross_attention_layers.3.gate_ffwd", MetaSplit.Replicated)]
    [InlineData("vision_model.vision_encoder.conv1._linear.weight", MetaSplit.Rows)]
    [InlineData("vision_model.vision_encoder.gated_positional_embedding_gate", MetaSplit.Replicated)]
    [InlineData("vision_model.vision_encoder.pre_tile_pos_embed.embedding", MetaSplit.Replicated)]
    [InlineData("vision_model.vision_encoder.ln_post.bias", MetaSplit.Replicated)]
    [InlineData("vision_model.vision_encoder.transformer.resblocks.0.mlp.c_fc.bias", MetaSplit.Rows)]
    [InlineData("vision_model.vision_encoder.transformer.resblocks.0.mlp.c_proj.weight", MetaSplit.Columns)]
    [InlineData("vision_model.vision_encoder.transformer.resblocks.0.mlp.c_proj.bias", MetaSplit.Replicated)]
    [InlineData("vision_model.vision_encoder.global_transformer.resblocks.0.gate_ffn", MetaSplit.Replicated)]
    [InlineData("vision_model.vision_projection.bias", MetaSplit.Rows)]
    [InlineData("layers.0.attention.wx.weight", MetaSplit.Unknown)]
    [InlineData("", MetaSplit.Unknown)]
    [InlineData(".weight", MetaSplit.Unknown)]
    [InlineData("weight", MetaSplit.Unknown)]
    public void KnowsEveryName(string name, MetaSplit expected) => Assert.Equal(expected, MetaSplits.Find(name));

    [Fact]
    public void KnowsKeysAndValues()
    {
        Assert.True(MetaSplits.IsKeyOrValue("layers.0.attention.wk.weight"));
        Assert.True(MetaSplits.IsKeyOrValue("layers.0.attention.wv.weight"));
        Assert.False(MetaSplits.IsKeyOrValue("layers.0.attention.wq.weight"));
    }
}

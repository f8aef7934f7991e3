namespace Vizsla.Inference;

/// <summary>How a heat map was made.</summary>
public enum ExplanationMethod
{
    /// <summary>Attention followed through all layers, shortcuts included.</summary>
    /// <remarks>Source: Abnar and Zuidema, "Quantifying Attention Flow in Transformers".</remarks>
    AttentionRollout,

    /// <summary>The last plane's channels, weighed by the gradient of the class's score.</summary>
    /// <remarks>Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization".</remarks>
    GradCam,
}

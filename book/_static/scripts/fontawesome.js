// Takes the place of the theme's script of the same name, which draws icons as SVG at the price of
// 0.54 MB. The theme's style sheet draws the same icons from a font of 0.16 MB.

/**
 * Where the web app begins: language, look, session, routes.
 */
import '@fontsource-variable/inter/wght.css'
import '@fontsource/literata/400.css'
import '@fontsource/literata/600.css'
import '@mantine/core/styles/default-css-variables.layer.css'
import '@mantine/core/styles/baseline.layer.css'
import '@mantine/core/styles/global.layer.css'
import '@mantine/core/styles/UnstyledButton.layer.css'
import '@mantine/core/styles/Button.layer.css'
import '@mantine/core/styles/ActionIcon.layer.css'
import '@mantine/core/styles/CloseButton.layer.css'
import '@mantine/core/styles/Loader.layer.css'
import '@mantine/core/styles/Overlay.layer.css'
import '@mantine/core/styles/Paper.layer.css'
import '@mantine/core/styles/Input.layer.css'
import '@mantine/core/styles/PasswordInput.layer.css'
import '@mantine/core/styles/FloatingIndicator.layer.css'
import '@mantine/core/styles/SegmentedControl.layer.css'
import '@mantine/core/styles/Alert.layer.css'
import './ui/base.css'
import { MantineProvider } from '@mantine/core'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter } from 'react-router'
import { App } from './App.tsx'
import { createSessionStore } from './session.ts'
import { SessionContext } from './ui/data.tsx'
import { startLanguage } from './ui/language.ts'
import { cssVariables, theme } from './ui/theme.ts'

startLanguage()
// Only where browsers offer it: over HTTPS, and on this machine itself.
if (import.meta.env.PROD && 'serviceWorker' in navigator)
	addEventListener('load', () => void navigator.serviceWorker.register('/service-worker.js'))

createRoot(document.getElementById('root') as HTMLElement).render(
	<StrictMode>
		<MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
			<SessionContext value={createSessionStore()}>
				<BrowserRouter>
					<App />
				</BrowserRouter>
			</SessionContext>
		</MantineProvider>
	</StrictMode>,
)
